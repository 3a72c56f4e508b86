// Package seal seals interfaces of this module, so that methods can be added to them without breaking other modules.
//
// A sealed interface has the method Sealed of [Marker]. Only this module can import the package, so only its types can
// embed Marker. A type of another module can embed the interface itself and override methods; it then has later methods
// as well.
package seal

// Marker is embedded in each type that implements a sealed interface.
type Marker struct{}

// Sealed does nothing. Other modules cannot name the type of its parameter.
func (Marker) Sealed(Marker) {}
