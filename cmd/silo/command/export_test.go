package command

// What the tests of this package use.
var (
	ServePath = servePath
	OneLine   = oneLine
)
