package usage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"paddock/shared/authz"
	"paddock/shared/table"
)

// aMinute is how often one instance stores, in a minute, what is new of one
// subject. What a short-lived client does in a few requests is stored with each
// of them, for the instance may see no other; what walks through many objects
// waits for the next minute.
const aMinute = 10

// grace is how long an answer waits for what is still being stored.
const grace = 2 * time.Second

// maxKept bounds the subjects of which an instance remembers what is stored.
const maxKept = 500

// A Service records and reads usage.
type Service struct {
	store *table.Store

	mu   sync.Mutex
	kept map[Subject]*kept
}

// New returns a Service.
func New(store *table.Store) (*Service, error) {
	if store == nil {
		return nil, errors.New("usage: a store is required")
	}
	return &Service{store: store, kept: map[Subject]*kept{}}, nil
}

// kept is what an instance knows of one subject's day. The service's lock guards
// its fields but for item and read, which writing guards.
type kept struct {
	day    string
	stored Day // known to be stored
	owed   Day // used, and not known to be
	minute int64
	n      int // how often something was stored in the minute

	writing sync.Mutex
	item    table.Item // as it was read or written
	read    bool
}

// due is what is to be stored of a subject's day now.
type due struct {
	*kept

	uses Day
}

// A Request collects what one request uses, in one goroutine. A nil Request
// collects nothing.
type Request struct {
	of      *Service
	by      authz.Allowed
	subject Subject
	ctx     context.Context // of the request, which it does not outlive
	cancel  context.CancelFunc
	failed  func(error)
	before  chan struct{} // closed when what was noted before is stored; nil for nothing
}

// Begin returns what collects the uses of a request whose caller the proof is
// of. It fails nobody: failed is told what could not be stored.
func (s *Service) Begin(ctx context.Context, by authz.Allowed, failed func(error)) *Request {
	p := by.Principal()
	r := &Request{of: s, by: by, failed: failed, subject: Subject{Workspace: by.Workspace(), Principal: p.ID}}
	if p.Limits != nil {
		r.subject.Token = p.Limits.Token
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r
}

// Add notes a use. If it is new today it is stored beside whatever the request
// goes on with.
func (r *Request) Add(u Use) {
	if r == nil {
		return
	}
	for _, d := range r.of.note(r.subject, u, r.of.store.Now()) {
		before, done := r.before, make(chan struct{})
		r.before = done
		go func() {
			defer close(done)
			if before != nil { // in their order, so that equal requests do equal work
				<-before
			}
			if err := r.of.keep(r.ctx, r.by, r.subject, d); err != nil {
				r.failed(fmt.Errorf("store usage: %w", err))
			}
		}()
	}
}

// Wait returns when nothing is being stored any more, and within grace: the
// function stops with its answer.
func (r *Request) Wait() {
	if r == nil {
		return
	}
	timer := time.AfterFunc(grace, r.cancel)
	if r.before != nil {
		<-r.before
	}
	timer.Stop()
	r.cancel()
}

// note adds a use to what is owed of a subject, and returns what is due to be
// stored: the present day, and the one before if something of it is still owed.
func (s *Service) note(of Subject, u Use, now time.Time) (out []due) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[of]
	if k == nil || k.day != DayName(now) {
		if k != nil && !k.owed.Empty() {
			out = append(out, due{k, k.owed})
		}
		for other := range s.kept {
			if len(s.kept) < maxKept {
				break
			}
			delete(s.kept, other)
		}
		k = &kept{day: DayName(now)}
		s.kept[of] = k
	}
	if _, fresh := k.stored.With(u); fresh {
		k.owed, _ = k.owed.With(u)
	}
	if minute := now.Unix() / 60; k.minute != minute {
		k.minute, k.n = minute, 0
	}
	if !k.owed.Empty() && k.n < aMinute {
		k.n++
		out = append(out, due{k, k.owed})
	}
	return out
}

// keep stores what is due of a subject, over what other instances stored.
func (s *Service) keep(ctx context.Context, by authz.Allowed, of Subject, d due) error {
	k := d.kept
	k.writing.Lock()
	defer k.writing.Unlock()
	day, err := time.Parse("20060102", k.day)
	if err != nil {
		return err
	}
	key := Key(of, day)
	for range 3 {
		if !k.read {
			if err := s.load(ctx, by, key, k); err != nil {
				return err
			}
		}
		s.mu.Lock()
		next, fresh := k.stored.Merged(d.uses)
		s.mu.Unlock()
		if fresh {
			err = s.write(ctx, by, key, k, next, day.AddDate(0, 0, MaxDays+1))
		}
		if errors.Is(err, table.ErrStale) { // another instance was first
			k.read, err = false, nil
			continue
		}
		if err != nil {
			k.read = false // it may be stored all the same
			return err
		}
		s.mu.Lock()
		k.stored = next
		if _, fresh := next.Merged(k.owed); !fresh {
			k.owed = Day{}
		}
		s.mu.Unlock()
		return nil
	}
	return table.ErrTryAgain
}

// load reads what is stored of a day.
func (s *Service) load(ctx context.Context, by authz.Allowed, key table.Key, k *kept) error {
	item, ok, err := s.store.One(ctx, by, key)
	if err != nil {
		return err
	}
	var stored Day
	if ok {
		if err := table.Decode(item, &stored); err != nil {
			return err
		}
	}
	s.mu.Lock()
	k.stored = stored
	s.mu.Unlock()
	k.item, k.read = item, true
	return nil
}

func (s *Service) write(ctx context.Context, by authz.Allowed, key table.Key, k *kept, d Day, end time.Time) error {
	op := table.Insert(key, d)
	if k.item.Version > 0 {
		op = table.Replace(k.item, d)
	}
	err := s.store.WriteScratch(ctx, by, table.Usage, op.Until(end))
	if err == nil {
		k.item.Key, k.item.Version = key, k.item.Version+1
	}
	return err
}
