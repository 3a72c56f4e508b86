package hcs_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// dumb is a service that gives one answer to every operation, and remembers the queries.
type dumb struct {
	*hcstest.Service
	answer  *string
	queries *[]string
}

func (d dumb) WaitOperation(op hcs.OperationHandle) (string, error) {
	document, err := d.Service.WaitOperation(op)
	if *d.answer != "as it is" && err == nil {
		document = *d.answer
	}
	return document, err
}

func (d dumb) CallSystem(op hcs.OperationHandle, s hcs.SystemHandle, call hcs.SystemCall, document string) error {
	if call == hcs.CallSystemProperties {
		*d.queries = append(*d.queries, document)
	}
	return d.Service.CallSystem(op, s, call, document)
}

// S15: a query names its types in one document; an empty answer and one that is no JSON are errors of the query, with the
// id of the system.
func TestS15_QueryAndInvalidAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, queries := "as it is", []string(nil)
		service := hcstest.New()
		client := &hcs.Client{Service: dumb{service, &answer, &queries}}
		d := hcstest.Container()
		system, err := client.Create(t.Context(), "c1", &d)
		if err != nil {
			t.Fatal(err)
		}
		query := func(ctx context.Context) error {
			_, err := system.Properties(ctx, schema.PropertyStatistics, schema.PropertyProcessList)
			return err
		}
		if err := query(t.Context()); err != nil {
			t.Error(err)
		}
		for _, answer = range []string{"", "{", `"text"`} {
			err := query(t.Context())
			e, ok := errors.AsType[*hcs.Error](err)
			if !ok || e.Op != "query system" || e.ID != "c1" {
				t.Errorf("answer %q: error %v, want one of the query of c1", answer, err)
			}
			_, syntax := errors.AsType[*json.SyntaxError](err)
			_, kind := errors.AsType[*json.UnmarshalTypeError](err)
			if wrapped := syntax || kind; wrapped != (answer != "") {
				t.Errorf("answer %q: error %v wraps the cause: %v", answer, err, wrapped)
			}
		}
		for _, q := range queries {
			if q != `{"PropertyTypes":["Statistics","ProcessList"]}` {
				t.Errorf("the service was asked %s", q)
			}
		}
		if len(queries) != 4 {
			t.Errorf("%d queries, want 4", len(queries))
		}
		answer = "as it is"
		if err := system.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		hcstest.Settled(t, service, client)
	})
}
