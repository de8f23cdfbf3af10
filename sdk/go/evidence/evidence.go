// Package evidence records typed facts that become part of the release's record. Errors are failures with the code
// evidence.
package evidence

import (
	"encoding/json"

	"fermata"
	"fermata/internal/abi"
)

// Deployment is the fact that a version of a service now runs in an environment.
type Deployment struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Version     string `json:"version"`
	// Previous is the version that ran before, if one did.
	Previous string `json:"previous,omitempty"`
	// URL is where to look at it.
	URL string `json:"url,omitempty"`
}

// Record records it.
func (d Deployment) Record() error {
	return Record("deployment", d)
}

// Record records a fact, an object. The kind is commit, artifact, test-report, ticket, deployment, scan, link, …
func Record(kind string, fact any) error {
	text, err := json.Marshal(fact)
	if err != nil {
		return notRecorded(err.Error())
	}
	if reason, failed := abi.Record(kind, string(text)); failed {
		return notRecorded(reason)
	}
	return nil
}

// Attach keeps bytes with the record and returns their digest, for use in a fact.
func Attach(name, mediaType string, bytes []byte) (string, error) {
	text, failed := abi.Attach(name, mediaType, bytes)
	if failed {
		return "", notRecorded(text)
	}
	return text, nil
}

func notRecorded(why string) error {
	return fermata.Permanent("the evidence was not recorded: " + why).WithCode("evidence")
}
