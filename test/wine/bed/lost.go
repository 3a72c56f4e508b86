package bed

import "strings"

// StartLost tells whether a program said that Wine gave up starting another one. One start in some thousands ends so: the new
// process dies before Wine's server knows that it runs, and CreateProcess fails with ERROR_INTERNAL_ERROR, which Windows has
// no use for there. Nothing was started, and a test asks again.
func StartLost(said string) bool { return strings.Contains(said, "Internal error.") }
