// Plays a request to its first feedback by the client of ogen.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"example.com/liaison/clients/ogenclient"
	"example.com/liaison/clients/said"
	"github.com/google/uuid"
)

type token string

func (role token) HTTPBearer(context.Context, ogenclient.OperationName) (ogenclient.HTTPBearer, error) {
	return ogenclient.HTTPBearer{Token: os.Getenv(string(role))}, nil
}

func as(role token) *ogenclient.Client {
	client, err := ogenclient.NewClient(os.Getenv("ORIGIN"), role)
	said.Check(err)
	return client
}

func expected[Found any](answer any, err error) Found {
	said.Check(err)
	found, ok := answer.(Found)
	if !ok {
		said.Check(fmt.Errorf("answered by %T", answer))
	}
	return found
}

func submission(firm string) *ogenclient.Submission {
	return &ogenclient.Submission{
		Source:    "https://one-stop.example/ogen",
		SourceRef: os.Getenv("REF"),
		Channel:   ogenclient.ChannelWeb,
		Kind:      ogenclient.KindHelp,
		Requester: ogenclient.IntakeRequester{
			Kind: ogenclient.RequesterKindEnterprise, ID: firm, Name: os.Getenv("FIRM_NAME")},
		Summary: "园区北门道路积水",
		Detail:  "雨后积水约二十厘米,货车无法进出。",
	}
}

func offered(ctx context.Context, liaison *ogenclient.Client, matter uuid.UUID) uuid.UUID {
	params := ogenclient.GetQueueParams{Party: "me", Limit: ogenclient.NewOptInt(200)}
	for range 100 {
		answer, err := liaison.GetQueue(ctx, params)
		for _, item := range expected[*ogenclient.PageOfQueueItem](answer, err).Items {
			if item.MatterID == matter {
				return item.OfferID
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
	answer, err := system.SubmitRequest(
		ctx, submission(os.Getenv("FIRM")), ogenclient.SubmitRequestParams{})
	taken := expected[*ogenclient.SubmitRequestAccepted](answer, err)
	_, err = liaison.AcceptOffer(
		ctx, ogenclient.AcceptOfferParams{OfferID: offered(ctx, liaison, taken.RequestID)})
	said.Check(err)
	step, err := liaison.GiveFeedback(ctx, &ogenclient.FeedbackBody{Text: "已派人查看"},
		ogenclient.GiveFeedbackParams{MatterID: taken.RequestID})
	told := expected[*ogenclient.MatterShownHeaders](step, err)
	page, err := liaison.ListMatters(
		ctx, ogenclient.ListMattersParams{Limit: ogenclient.NewOptInt(200)})
	listed := false
	for _, each := range expected[*ogenclient.PageOfMatterInList](page, err).Items {
		listed = listed || each.MatterID == taken.RequestID
	}
	// A code with a wrong check character: the client itself refuses what the schema does.
	refused, err := system.SubmitRequest(
		ctx, submission("91990117MA0A49643X"), ogenclient.SubmitRequestParams{})
	problem := expected[*ogenclient.SubmitRequestUnprocessableEntity](refused, err)
	said.Print(said.Line{
		Status: 202, Receipt: taken.Receipt, State: string(told.Response.State), Listed: listed,
		Problem: string(problem.Type), Pointer: problem.Errors[0].Pointer})
}
