// Package seal closes interfaces of this module: a type outside of the module
// cannot implement them on its own, so that a method can be added to them without
// breaking other programs.
//
// A sealed interface has the method Sealed of [Marker]. As only this module can
// import the package, only its types can embed a Marker. A type elsewhere can still
// embed a value of the interface itself and override some methods: it then has
// later methods, too.
package seal

// Marker is embedded in each type that implements a sealed interface.
type Marker struct{}

// Sealed does nothing. Its parameter cannot be named outside of this module.
func (Marker) Sealed(Marker) {}
