// Plays a request to its first feedback by the client of oapi-codegen.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/liaison/clients/oapiclient"
	"example.com/liaison/clients/said"
	"github.com/google/uuid"
)

func as(role string) *oapiclient.ClientWithResponses {
	bearer := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv(role))
		return nil
	}
	client, err := oapiclient.NewClientWithResponses(
		os.Getenv("ORIGIN"), oapiclient.WithRequestEditorFn(bearer))
	said.Check(err)
	return client
}

func submission(summary string) oapiclient.Submission {
	return oapiclient.Submission{
		Source:    "https://one-stop.example/oapi-codegen",
		SourceRef: os.Getenv("REF"),
		Channel:   oapiclient.ChannelWeb,
		Kind:      oapiclient.Help,
		Requester: oapiclient.IntakeRequester{
			Kind: oapiclient.Enterprise, Id: os.Getenv("FIRM"), Name: os.Getenv("FIRM_NAME")},
		Summary: summary,
		Detail:  "雨后积水约二十厘米,货车无法进出。",
	}
}

func offered(ctx context.Context, liaison *oapiclient.ClientWithResponses, matter uuid.UUID) uuid.UUID {
	limit := 200
	for range 100 {
		page, err := liaison.GetQueueWithResponse(ctx, "me", &oapiclient.GetQueueParams{Limit: &limit})
		said.Check(err)
		for _, item := range page.JSON200.Items {
			if item.MatterId == matter {
				return item.OfferId
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	said.Check(fmt.Errorf("not offered within 20 s"))
	return matter
}

func main() {
	ctx := context.Background()
	system, liaison := as("SYSTEM"), as("LIAISON")
	answer, err := system.SubmitRequestWithResponse(ctx, nil, submission("园区北门道路积水"))
	said.Check(err)
	matter := answer.JSON202.RequestId
	_, err = liaison.AcceptOfferWithResponse(ctx, offered(ctx, liaison, matter), nil)
	said.Check(err)
	told, err := liaison.GiveFeedbackWithResponse(ctx, matter, nil, oapiclient.FeedbackBody{Text: "已派人查看"})
	said.Check(err)
	limit, listed := 200, false
	page, err := liaison.ListMattersWithResponse(ctx, &oapiclient.ListMattersParams{Limit: &limit})
	said.Check(err)
	for _, each := range page.JSON200.Items {
		listed = listed || each.MatterId == matter
	}
	refused, err := system.SubmitRequestWithResponse(ctx, nil, submission(""))
	said.Check(err)
	problem := refused.ApplicationproblemJSON422
	said.Print(said.Line{
		Status: answer.StatusCode(), Receipt: answer.JSON202.Receipt, State: string(told.JSON200.State),
		Listed: listed, Problem: string(problem.Type), Pointer: (*problem.Errors)[0].Pointer})
}
