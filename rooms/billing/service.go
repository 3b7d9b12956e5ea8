package billing

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Options are what the service needs, and how it is set up.
type Options struct {
	Store         Store
	Consultations *consultation.Service
	Now           func() time.Time
	Log           *slog.Logger

	// Gateways are offered to patients in this order.
	Gateways []Gateway
	// FeeBasisPoints is the platform's share, in hundredths of a percent.
	FeeBasisPoints int
	// PublicURL is where browsers and gateways reach this server, without a
	// slash at the end; it may be empty with the sandbox alone.
	PublicURL string
	// Patience is how long a gateway may take to answer; 20 seconds if 0.
	Patience time.Duration
	// Trace starts a span for the work of each timer; nil traces nothing.
	Trace rooms.Tracer
}

// Service executes the commands of orders, and the work that timers and
// gateways start.
type Service struct {
	cfg           Options
	store         Store
	consultations *consultation.Service
	gateways      map[string]Gateway
	now           func() time.Time
	log           *slog.Logger

	jobs *rooms.Jobs
}

// New makes the service, which is to bill and to follow the consultations. Start
// it with Run.
func New(o Options) *Service {
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	s := &Service{cfg: o, store: o.Store, consultations: o.Consultations, gateways: map[string]Gateway{}, now: o.Now, log: o.Log}
	s.jobs = rooms.NewJobs(s.work)
	for _, g := range o.Gateways {
		s.gateways[g.Name()] = g
	}
	return s
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Orders.Bind(s.orders), ReadOrder.Bind(s.readOrder), Checkout.Bind(s.checkout),
		Income.Bind(s.income), ExportIncome.Bind(s.exportIncome),
		AllOrders.Bind(s.allOrders), OrderFile.Bind(s.file), RefundOrder.Bind(s.refundOrder),
		Reconciliations.Bind(s.reports), Reconcile.Bind(s.reconcileDay),
	}
}

// GatewayNames are the gateways that a patient may choose from, in order.
func (s *Service) GatewayNames() []string {
	names := make([]string, len(s.cfg.Gateways))
	for i, g := range s.cfg.Gateways {
		names[i] = g.Name()
	}
	return names
}

func (s *Service) orders(ctx context.Context, actor rooms.Actor, in OrderFilter) (OrderPage, error) {
	return s.list(ctx, in, OrderQuery{User: actor.UserID})
}

func (s *Service) allOrders(ctx context.Context, _ rooms.Actor, in OrderFilter) (OrderPage, error) {
	page, err := s.list(ctx, in, OrderQuery{Text: strings.TrimSpace(in.Q)})
	for i, o := range page.Items {
		page.Items[i] = oneSided(o)
	}
	return page, err
}

// oneSided is an order as an admin sees it who has given no reason: who pays, and
// not whom they consult.
func oneSided(o Order) Order {
	o.ConsultationID, o.DoctorID, o.DoctorName = "", "", ""
	return o
}

func (s *Service) list(ctx context.Context, in OrderFilter, q OrderQuery) (OrderPage, error) {
	for _, name := range strings.FieldsFunc(string(in.Status), func(r rune) bool { return r == ',' }) {
		status := consultation.OrderStatus(name)
		if !knownStatus[status] {
			return OrderPage{}, rooms.Invalid("status", "there is no status %q", name)
		}
		q.Statuses = append(q.Statuses, status)
	}
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return OrderPage{}, err
	}
	if q.After, err = rooms.ParseCursor(in.Cursor); err != nil {
		return OrderPage{}, err
	}
	q.Limit = limit + 1
	list, err := s.store.Orders(ctx, q)
	if err != nil {
		return OrderPage{}, err
	}
	items, next := rooms.CutPage(list, limit, func(o Order) rooms.Cursor {
		return rooms.Cursor{Num: o.CreatedAt.UnixMicro(), ID: string(o.ID)}
	})
	return OrderPage{Items: items, NextCursor: next}, nil
}

var knownStatus = map[consultation.OrderStatus]bool{
	consultation.OrderCreated: true, consultation.OrderFailed: true, consultation.OrderPaid: true, consultation.OrderRefunding: true,
	consultation.OrderRefunded: true, consultation.OrderPartiallyRefunded: true, consultation.OrderClosed: true,
}

func (s *Service) readOrder(ctx context.Context, actor rooms.Actor, in OrderRef) (Order, error) {
	o, err := s.store.Order(ctx, in.OrderID)
	if err == nil && o.UserID != actor.UserID {
		return Order{}, rooms.NotFound("order")
	}
	return o, err
}

func (s *Service) file(ctx context.Context, _ rooms.Actor, in OrderRef) (OrderHistory, error) {
	o, err := s.store.Order(ctx, in.OrderID)
	if err != nil {
		return OrderHistory{}, err
	}
	ledger, err := s.store.Ledger(ctx, o.ID)
	if err != nil {
		return OrderHistory{}, err
	}
	f := OrderHistory{Order: oneSided(o), Payments: ledger.Payments, Charges: ledger.Charges, Refunds: make([]RefundRecord, len(ledger.Refunds))}
	for i, r := range ledger.Refunds {
		f.Refunds[i] = RefundRecord{OrderRefund: r.OrderRefund, Gateway: r.Gateway, Transaction: r.Transaction, Remote: r.Remote,
			Note: r.Note, Attempts: r.Attempts, LastError: r.LastError}
	}
	return f, nil
}
