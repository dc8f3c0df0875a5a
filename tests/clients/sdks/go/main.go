// Events as JSON on standard input; on standard output a line for each message that the SDK makes of them.
package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/IBM/sarama"
	kafka "github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

type message struct {
	Event    int      `json:"event"`
	Protocol string   `json:"protocol"`
	Mode     string   `json:"mode"`
	Form     string   `json:"form"`
	Headers  [][2]any `json:"headers"`
	Body     []byte   `json:"body"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func newEvent(sent map[string]any, form string) cloudevents.Event {
	made := cloudevents.NewEvent()
	for name, value := range sent {
		switch name {
		case "id":
			made.SetID(value.(string))
		case "source":
			made.SetSource(value.(string))
		case "type":
			made.SetType(value.(string))
		case "subject":
			made.SetSubject(value.(string))
		case "time":
			at, err := time.Parse(time.RFC3339, value.(string))
			must(err)
			made.SetTime(at)
		case "data":
		default:
			made.SetExtension(name, value)
		}
	}
	if form == "object" {
		must(made.SetData(cloudevents.ApplicationJSON, sent["data"]))
		return made
	}
	written, err := json.Marshal(sent["data"])
	must(err)
	must(made.SetData(cloudevents.ApplicationJSON, written))
	made.DataBase64 = true
	return made
}

func main() {
	var events []map[string]any
	must(json.NewDecoder(os.Stdin).Decode(&events))
	out := json.NewEncoder(os.Stdout)
	modes := map[string]context.Context{
		"binary":     binding.WithForceBinary(context.Background()),
		"structured": binding.WithForceStructured(context.Background()),
	}
	for number, sent := range events {
		for _, form := range []string{"object", "bytes"} {
			for mode, ctx := range modes {
				made := newEvent(sent, form)

				request, err := http.NewRequest(http.MethodPost, "http://localhost/", nil)
				must(err)
				must(cehttp.WriteRequest(ctx, binding.ToMessage(&made), request))
				body, err := io.ReadAll(request.Body)
				must(err)
				found := message{number, "http", mode, form, nil, body}
				for name, values := range request.Header {
					for _, value := range values {
						found.Headers = append(found.Headers, [2]any{name, []byte(value)})
					}
				}
				must(out.Encode(found))

				record := &sarama.ProducerMessage{}
				must(kafka.WriteProducerMessage(ctx, binding.ToMessage(&made), record))
				value, err := record.Value.Encode()
				must(err)
				found = message{number, "kafka", mode, form, nil, value}
				for _, header := range record.Headers {
					found.Headers = append(found.Headers, [2]any{string(header.Key), header.Value})
				}
				must(out.Encode(found))
			}
		}
	}
}
