// Package said has what both Go clients share: the line that is checked.
package said

import (
	"encoding/json"
	"fmt"
	"os"
)

// Line is what a client found; the test holds it to what the town answered.
type Line struct {
	Status  int    `json:"status"`
	Receipt string `json:"receipt"`
	State   string `json:"state"`
	Listed  bool   `json:"listed"`
	Problem string `json:"problem"`
	Pointer string `json:"pointer"`
}

// Print writes the line.
func Print(line Line) {
	written, err := json.Marshal(line)
	Check(err)
	fmt.Println(string(written))
}

// Check ends the program when something failed.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
