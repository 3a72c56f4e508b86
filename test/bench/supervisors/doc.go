// Command supervisors measures the cost of silo run and silo supervise beside Damon 0.1.1 on Wine: the same program that
// exits at once, in turn, in one run. It prints the rows of the table in docs/coming-from.md. Damon's limits are off:
// Wine refuses its notification limits, and Damon then ends with exit code 1.
package main
