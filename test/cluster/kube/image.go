package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// sandboxImage is the image of pods in containerd's configuration.
var sandboxImage = regexp.MustCompile(`(?m)^\s*sandbox = '(.+)'$`)

// importImages imports the images of the tests.
func (n *Node) importImages(ctx context.Context, config string) error {
	pause := sandboxImage.FindStringSubmatch(config)
	if pause == nil {
		return errors.New("containerd config default: it has no sandbox image")
	}
	const mount = `%CONTAINER_SANDBOX_MOUNT_POINT%\`
	payload := map[string]string{"payload.exe": n.wine.UnixPath(n.wine.Exe("payload"))}
	return n.importArchive(ctx, append(n.images,
		testenv.Image{Name: pause[1], OSVersion: n.osVersion, Entrypoint: []string{n.wine.Exe("payload"), "sleep", "86400"}, Files: payload},
		testenv.Image{Name: PayloadImage, OSVersion: n.osVersion, Entrypoint: []string{mount + "payload.exe"}, Files: payload},
		n.siloImage(SiloTag, n.wine.UnixPath(n.wine.Exe("containerd-shim-silo-v1"))),
	)...)
}

// siloImage is the image of deploy/kubernetes/Dockerfile with a shim at a Unix path.
func (n *Node) siloImage(tag, shim string) testenv.Image {
	return testenv.Image{
		Name: "registry.example/silo:" + tag, OSVersion: n.osVersion, Entrypoint: []string{`%CONTAINER_SANDBOX_MOUNT_POINT%\silo.exe`},
		Files: map[string]string{"silo.exe": n.silo, "containerd-shim-silo-v1.exe": shim},
	}
}

// ImportSilo imports an image of a release of silo, with the shim at a Unix path.
func (n *Node) ImportSilo(ctx context.Context, tag, shim string) error {
	return n.importArchive(ctx, n.siloImage(tag, shim))
}

// importArchive writes images into an archive and imports it.
func (n *Node) importArchive(ctx context.Context, images ...testenv.Image) error {
	archive := filepath.Join(n.dir, "images.tar")
	if err := testenv.WriteImages(archive, images...); err != nil {
		return err
	}
	if text, err := n.Ctr(ctx, "-n", "k8s.io", "images", "import", "--all-platforms", n.wine.WindowsPath(archive)).CombinedOutput(); err != nil {
		return fmt.Errorf("import images: %w\n%s", err, text)
	}
	return os.Remove(archive)
}
