// Package dashboard serves a page that shows what the containers of a machine do.
//
//	Source ─► Dashboard.Sample ─► history (rings) ─► fragments (HTML, SVG) ─► page, then server-sent events
//
// The page is made on the server and works without a script. The script in assets/ replaces the fragments that have
// changed, and adds keys. Nothing is fetched from another machine. All that a container can choose, such as names, paths
// and log lines, is hostile input: it is escaped by [html/template], and control characters are made visible by
// printable.
//
// A page that is open makes the dashboard sample every [Interval]. Otherwise it samples every [IdleInterval], so that
// there is a history when a page is opened.
package dashboard
