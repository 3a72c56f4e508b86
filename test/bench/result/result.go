// Package result is what test/bench/scrape measures and test/bench/chart draws.
package result

import "time"

// Case is one algorithm on one container.
type Case struct {
	Algorithm string        `json:"algorithm"`
	Members   int           `json:"members"`   // processes of the container
	Strangers int           `json:"strangers"` // other processes
	Calls     int           `json:"calls"`     // through the kernel seam, in one sample
	Median    time.Duration `json:"median_ns"`
}
