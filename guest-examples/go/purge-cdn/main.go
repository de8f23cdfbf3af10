// Purges pages from a CDN's cache, a few at a time, and waits until every edge has forgotten them.
package main

import (
	"fmt"
	"net/url"
	"time"

	"fermata"
	"fermata/evidence"
	"fermata/http"
	"fermata/log"
	"fermata/progress"
	"fermata/secrets"
)

const (
	// The secret that the CDN wants to see.
	secret = "cdn-token"
	// Most pages in one call, as the large CDNs have it.
	batchMax = 30
	// Wait between two looks: edges take seconds.
	nextLook = 2 * time.Second
	// Most looks at one batch: five minutes.
	looksMax = 150
)

type inputs struct {
	URL   string   `json:"url" about:"Where the CDN's API is."`
	Zone  string   `json:"zone" about:"The zone, as the CDN calls it."`
	Pages []string `json:"pages" about:"URLs of the pages to purge."`
}

type outputs struct {
	Purged int `json:"purged" about:"How many pages were purged."`
}

// What is remembered between two looks.
type checkpoint struct {
	// Pages that are gone.
	Purged int `json:"purged"`
	// The purge that is under way.
	ID string `json:"id"`
	// Pages in it.
	Pages int `json:"pages"`
	Looks int `json:"looks"`
}

type outcome = fermata.Outcome[outputs]

func init() {
	fermata.Export(fermata.Activity[inputs, outputs]{
		Name:         "purge-cdn",
		Version:      "1.0.0",
		Summary:      "Purges pages from a CDN's cache and waits until every edge has forgotten them.",
		Retry:        &fermata.Retry{Attempts: 5, Backoff: 2 * time.Second},
		Timeout:      30 * time.Minute,
		Capabilities: fermata.Capabilities{}.HTTP("*", "GET", "POST").Secret(secret).Evidence("cdn-purge"),
		Run:          run,
	})
}

func run(attempt *fermata.Attempt, in inputs) (outcome, error) {
	var was checkpoint
	underWay, err := attempt.Checkpoint(&was)
	if err != nil {
		return outcome{}, err
	}
	if !underWay {
		return next(attempt, in, 0)
	}
	var purge struct{ State, Reason string }
	if err := call(http.Get(in.api("purges", was.ID)), &purge); err != nil {
		return outcome{}, err
	}
	switch {
	case purge.State == "done":
		return next(attempt, in, was.Purged+was.Pages)
	case purge.State == "failed":
		failure := fmt.Sprintf("the CDN gave up purging %s: %s", in.Zone, purge.Reason)
		return outcome{}, fermata.Retryable(failure).WithCode("purge-failed").WithDetails(was)
	case was.Looks == looksMax:
		failure := fmt.Sprintf("the CDN has not purged %s after %d looks", in.Zone, looksMax)
		return outcome{}, fermata.Retryable(failure).WithCode("purge-slow").WithDetails(was)
	}
	was.Looks++
	return waiting(in, was), nil
}

// next begins the batch behind the pages that are gone.
func next(attempt *fermata.Attempt, in inputs, purged int) (outcome, error) {
	if purged == len(in.Pages) {
		fact := map[string]any{"zone": in.Zone, "pages": purged}
		log.Info("purged %d pages of %s", purged, in.Zone)
		return fermata.Done(outputs{purged}), evidence.Record("cdn-purge", fact)
	}
	batch := in.Pages[purged:min(purged+batchMax, len(in.Pages))]
	request := http.Post(in.api("purges")).
		// Each batch is a request of its own.
		Header("idempotency-key", fmt.Sprintf("%s/%d", attempt.IdempotencyKey, purged)).
		JSON(map[string]any{"files": batch})
	var purge struct{ ID string }
	if err := call(request, &purge); err != nil {
		return outcome{}, err
	}
	return waiting(in, checkpoint{Purged: purged, ID: purge.ID, Pages: len(batch)}), nil
}

func waiting(in inputs, at checkpoint) outcome {
	progress.Report(100*at.Purged/len(in.Pages), "purging %s", in.Zone)
	return fermata.Pending[outputs](at, nextLook).Status("%d of %d pages are purged", at.Purged, len(in.Pages))
}

func (in inputs) api(parts ...string) string {
	address := in.URL + "/zones/" + url.PathEscape(in.Zone)
	for _, part := range parts {
		address += "/" + url.PathEscape(part)
	}
	return address
}

// call sends a request with the token, and reads the answer.
func call(request *http.Request, into any) error {
	token, err := secrets.Handle(secret)
	if err != nil {
		return err
	}
	response, err := request.Header("authorization", "Bearer "+token).Success()
	if err != nil {
		return err
	}
	return response.JSON(into)
}

func main() {}
