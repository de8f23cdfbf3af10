// Checks that a page answers as it should.
package main

import (
	"fmt"
	"time"

	"fermata"
	"fermata/http"
	"fermata/log"
)

// What a process writes under `with:`.
type inputs struct {
	URL    string `json:"url" about:"The page to ask for."`
	Status int    `json:"status,omitempty" about:"The status that it should answer with."`
}

// What later activities can read.
type outputs struct {
	Status int `json:"status" about:"The status that it answered with."`
}

func init() {
	fermata.Export(fermata.Activity[inputs, outputs]{
		Name:         "{{name}}",
		Version:      "1.0.0",
		Summary:      "Checks that a page answers as it should.",
		Retry:        &fermata.Retry{Attempts: 3, Backoff: 5 * time.Second},
		Capabilities: fermata.Capabilities{}.HTTP("*", "GET"),
		Run:          run,
	})
}

func run(_ *fermata.Attempt, in inputs) (fermata.Outcome[outputs], error) {
	if in.Status == 0 {
		in.Status = 200
	}
	response, err := http.Get(in.URL).Send()
	if err != nil {
		return fermata.Outcome[outputs]{}, err
	}
	log.Info("%s answers %d", in.URL, response.StatusCode)
	if response.StatusCode != in.Status {
		message := fmt.Sprintf("%s answers %d, not %d", in.URL, response.StatusCode, in.Status)
		return fermata.Outcome[outputs]{}, fermata.Retryable(message).WithCode("unexpected-status")
	}
	return fermata.Done(outputs{Status: response.StatusCode}), nil
}

func main() {}
