// The conformance activity in Go.
package main

import (
	"fmt"
	"os"
	"time"

	"fermata"
	"fermata/evidence"
	"fermata/http"
	"fermata/log"
	"fermata/progress"
	"fermata/secrets"
	"fermata/undo"
)

type inputs struct {
	Do   string `json:"do" about:"What to do."`
	Text string `json:"text,omitempty"`
	URL  string `json:"url,omitempty"`
}

type outputs struct {
	Text   string `json:"text"`
	Status int    `json:"status,omitempty"`
}

type checkpoint struct {
	Count int    `json:"count"`
	Text  string `json:"text"`
}

type outcome = fermata.Outcome[outputs]

func text(format string, args ...any) (outcome, error) {
	return fermata.Done(outputs{Text: fmt.Sprintf(format, args...)}), nil
}

func init() {
	fermata.Export(fermata.Activity[inputs, outputs]{
		Name:         "sdk-go",
		Version:      "1.0.0",
		Summary:      "Does what it is told, for tests.",
		Retry:        &fermata.Retry{Attempts: 3, Backoff: 2 * time.Second},
		Timeout:      90 * time.Second,
		Capabilities: fermata.Capabilities{}.HTTP("*", "GET", "POST").Secret("token").Evidence("link"),
		Run: func(attempt *fermata.Attempt, in inputs) (outcome, error) {
			return deeds[in.Do](attempt, in)
		},
	})
	undo.Export(func(_ *fermata.Attempt, in inputs, out *outputs) (fermata.Outcome[struct{}], error) {
		was := "nothing"
		if out != nil {
			was = out.Text
		}
		log.Info("undoes %s: %s", in.Do, was)
		return fermata.Done(struct{}{}), nil
	})
}

var deeds = map[string]func(*fermata.Attempt, inputs) (outcome, error){
	"echo": func(_ *fermata.Attempt, in inputs) (outcome, error) {
		return text("%s", in.Text)
	},
	"attempt": func(a *fermata.Attempt, _ inputs) (outcome, error) {
		return text("%s|%s|%s|%s|%d|%s|%d",
			a.Release, a.Process, a.Phase, a.Activity, a.Number, a.IdempotencyKey, a.Now.UnixMilli())
	},
	"retryable": func(_ *fermata.Attempt, in inputs) (outcome, error) {
		details := map[string]string{"text": in.Text}
		return outcome{}, fermata.Retryable(in.Text).WithCode("busy").WithDetails(details).WaitAtLeast(1500 * time.Millisecond)
	},
	"permanent": func(_ *fermata.Attempt, in inputs) (outcome, error) {
		return outcome{}, fermata.Permanent(in.Text).WithCode("wrong")
	},
	"count":    count,
	"signal":   signal,
	"call":     call,
	"status":   status,
	"secret":   secret,
	"evidence": record,
	"attach":   attach,
	"log":      write,
	"crash": func(_ *fermata.Attempt, in inputs) (outcome, error) {
		panic(in.Text)
	},
}

func count(attempt *fermata.Attempt, in inputs) (outcome, error) {
	var was checkpoint
	if _, err := attempt.Checkpoint(&was); err != nil {
		return outcome{}, err
	}
	if was.Count == 2 {
		return text("%d %s", was.Count, was.Text)
	}
	next := checkpoint{was.Count + 1, in.Text}
	return fermata.Pending[outputs](next, 2*time.Second).Status("counting %d", next.Count), nil
}

func signal(attempt *fermata.Attempt, in inputs) (outcome, error) {
	var approval struct{ By string }
	came, err := attempt.Signal(&approval)
	if err != nil {
		return outcome{}, err
	}
	if !came {
		return fermata.PendingSignal[outputs](checkpoint{1, in.Text}, "approved").Status("waits"), nil
	}
	var was checkpoint
	if _, err := attempt.Checkpoint(&was); err != nil {
		return outcome{}, err
	}
	return text("%s %s", was.Text, approval.By)
}

func call(_ *fermata.Attempt, in inputs) (outcome, error) {
	body := map[string]string{"text": in.Text}
	response, err := http.Post(in.URL).Header("x-text", "a").JSON(body).Timeout(5 * time.Second).Success()
	if err != nil {
		return outcome{}, err
	}
	var answer struct{ Text string }
	if err := response.JSON(&answer); err != nil {
		return outcome{}, err
	}
	return fermata.Done(outputs{answer.Text, response.StatusCode}), nil
}

func status(_ *fermata.Attempt, in inputs) (outcome, error) {
	response, err := http.Get(in.URL).Send()
	if err != nil {
		return outcome{}, err
	}
	answer := response.Header("X-Answer")
	if answer == "" {
		answer = "none"
	}
	return fermata.Done(outputs{answer, response.StatusCode}), nil
}

func secret(_ *fermata.Attempt, in inputs) (outcome, error) {
	handle, err := secrets.Handle(in.Text)
	if err != nil {
		return outcome{}, err
	}
	response, err := http.Get(in.URL).Header("authorization", handle).Success()
	if err != nil {
		return outcome{}, err
	}
	return text("%s", response.Text())
}

func record(_ *fermata.Attempt, in inputs) (outcome, error) {
	if err := evidence.Record("link", map[string]string{"url": in.URL, "title": in.Text}); err != nil {
		return outcome{}, err
	}
	return text("recorded")
}

func attach(_ *fermata.Attempt, in inputs) (outcome, error) {
	digest, err := evidence.Attach("report.txt", "text/plain", []byte(in.Text))
	if err != nil {
		return outcome{}, err
	}
	return text("%s", digest)
}

func write(_ *fermata.Attempt, in inputs) (outcome, error) {
	log.Debug("debug %s", in.Text)
	log.Info("info %s", in.Text)
	log.Warn("warn %s", in.Text)
	log.Error("error %s", in.Text)
	fmt.Fprintf(os.Stdout, "printed %s\n", in.Text)
	progress.Report(40, "%s", in.Text)
	return text("logged")
}

func main() {}
