package jobobject

// CommandLineOf is here for tests that compare it with a splitter of command lines.
var CommandLineOf = commandLineOf
