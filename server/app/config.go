package app

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
)

// Config has every setting of `wenzhen serve`. Flags, environment variables, the
// keys of the optional file and the tables in docs/settings*.md come from its
// tags: WENZHEN_ADDR is --addr is "addr" in the file. A setting tagged secret
// is also read from the file that WENZHEN_…_FILE names. One tagged shared must be
// the same on all nodes of a database: `shared:""` compares values, those of
// secrets by fingerprint; "given", whether there is a value; "apart", the key or
// the content that the setting leads to, which asNode reads.
type Config struct {
	Addr      string `default:"127.0.0.1:8080" env:"WENZHEN_ADDR" help:"Address to listen on."`
	PublicURL string `env:"WENZHEN_PUBLIC_URL" shared:"" help:"Address at which browsers reach this server, such as https://clinic.example. http://localhost and the port when not given."`
	Data      string `default:"data" env:"WENZHEN_DATA" help:"Folder of the database, the attachments and the generated secrets. It is made when it is not there." type:"path"`
	Demo      bool   `env:"WENZHEN_DEMO" shared:"" help:"Fill an empty database with demo accounts and show their passwords on the login page. Never on the open internet."`

	Database    string `default:"sqlite" env:"WENZHEN_DATABASE" secret:"" help:"\"sqlite\", a file in the data folder, or the URL of a PostgreSQL database, postgres://user:password@host/name."`
	Redis       string `env:"WENZHEN_REDIS" secret:"" shared:"given" help:"URL of a Redis at which several nodes meet, redis://host:6379. Signals, presence and rate limits go over it; no message does."`
	Synchronous string `default:"full" enum:"full,normal" env:"WENZHEN_SYNCHRONOUS" shared:"" help:"What an answered command survives: \"full\", a power cut; \"normal\", a crash of the process."`

	TokenKey     string        `env:"WENZHEN_TOKEN_KEY" secret:"" shared:"apart" help:"Key that signs access tokens, at least 32 characters. Made and kept in the data folder when not given."`
	TokenKeyLife time.Duration `default:"720h" env:"WENZHEN_TOKEN_KEY_LIFE" shared:"" help:"How long one key, derived from the token key, signs access tokens before the next takes over; 0 never changes it."`
	AccountKey   string        `env:"WENZHEN_ACCOUNT_KEY" secret:"" shared:"apart" help:"Key that protects second factors and links in mails, at least 32 characters. Made and kept in the data folder when not given."`
	AccessLife   time.Duration `default:"15m" env:"WENZHEN_ACCESS_LIFE" shared:"" help:"How long an access token is good for."`
	RefreshLife  time.Duration `default:"720h" env:"WENZHEN_REFRESH_LIFE" shared:"" help:"How long a login lasts that is not used."`

	IdentityProviders string        `env:"WENZHEN_IDENTITY_PROVIDERS" shared:"apart" help:"JSON file with the OpenID providers that people may log in with." type:"path"`
	IdleLogOff        time.Duration `default:"2h" env:"WENZHEN_IDLE_LOG_OFF" shared:"" help:"How long a doctor's or admin's session lives that nobody uses, in the browser and on the server; 0 never ends it."`

	// Clients of the contract know a followup's earlier diagnosis as a text only.
	FollowupEvidence string `default:"asked" enum:"asked,required" env:"WENZHEN_FOLLOWUP_EVIDENCE" shared:"" help:"Whether the patient of a follow-up (复诊) must show the earlier diagnosis, by a file or a diagnosis signed here: \"asked\", the page asks for it and the doctor judges; \"required\", nobody can accept without."`
	InvitedMost      int    `default:"10" env:"WENZHEN_INVITED_MOST" shared:"" help:"How many people may be let into a consultation beside its patient and its doctor; the patient's invitations and the doctor's may each take all places but one."`
	Policy           string `default:"china" enum:"china,none" env:"WENZHEN_POLICY" shared:"" help:"What a service allows: under \"china\", advice (健康咨询) has no diagnosis and no prescription; under \"none\", a doctor may do both in every consultation."`
	SealKey          string `env:"WENZHEN_SEAL_KEY" secret:"" shared:"apart" help:"Key that seals signed medical documents, at least 32 characters; without it none of them can be verified any more. Made and kept in the data folder when not given."`

	AcceptNewKeys []string `env:"WENZHEN_ACCEPT_NEW_KEYS" help:"Keys (seal, account, audit) that are lost: start with new ones, although documents were signed with the old seal key, second factors protected with the old account key, or the audit log signed with the old audit key (docs/operations.md). Needed once."`

	EncryptionKey     string `env:"WENZHEN_ENCRYPTION_KEY" secret:"" help:"Master key of encryption at rest, at least 32 characters, kept apart from the data: without it nothing that was encrypted can be read, and no server starts. Nothing is encrypted when neither it nor a command is given."`
	EncryptionCommand string `env:"WENZHEN_ENCRYPTION_COMMAND" help:"Instead of a master key: a program that asks a key management service, with its arguments; it is run with \"wrap ID\" or \"unwrap ID\" after them (docs/operations.md)."`

	KeepMessages time.Duration `default:"26280h" env:"WENZHEN_KEEP_MESSAGES" shared:"" help:"How long messages, files and drawings are kept after their consultation has ended (three years); then they are removed. 0 keeps them."`
	KeepRecords  time.Duration `default:"131400h" env:"WENZHEN_KEEP_RECORDS" shared:"" help:"How long records and signed documents have to be kept (15 years). Users who erase their account are informed of it; the server never removes records by itself."`

	LoginFailures        int           `default:"10" env:"WENZHEN_LOGIN_FAILURES" shared:"" help:"Failed logins per account within the login window."`
	LoginAddressFailures int           `default:"100" env:"WENZHEN_LOGIN_ADDRESS_FAILURES" shared:"" help:"Failed logins from one address within the login window."`
	LoginWindow          time.Duration `default:"15m" env:"WENZHEN_LOGIN_WINDOW" shared:"" help:"The window in which failed logins count."`
	Registrations        int           `default:"100" env:"WENZHEN_REGISTRATIONS" shared:"" help:"Registrations from one address within a minute."`

	SecondFactorGuesses int           `default:"30" env:"WENZHEN_SECOND_FACTOR_GUESSES" shared:"" help:"Wrong codes of the second factor per account within 24 hours, on all devices together. Recovery codes work past it."`
	AccountMails        int           `default:"20" env:"WENZHEN_ACCOUNT_MAILS" shared:"" help:"Mails to one address within 24 hours that verify it, reset a password or answer a registration, of each kind."`
	SecondFactor        string        `default:"off" enum:"off,staff" env:"WENZHEN_SECOND_FACTOR" shared:"" help:"Who has to have a second factor: \"off\", nobody; \"staff\", doctors and admins, who set one up after their next login before anything else. A login with a passkey needs none."`
	SignConfirm         time.Duration `default:"0s" env:"WENZHEN_SIGN_CONFIRM" shared:"" help:"For how long after a login or a confirmation (POST /auth/sessions/confirm) diagnoses, prescriptions and summaries may be signed and prescriptions reviewed; then it has to be confirmed again. 0 asks for none."`
	ConfirmRegistration string        `default:"on" enum:"on,off" env:"WENZHEN_CONFIRM_REGISTRATION" shared:"" help:"Where mail is sent: an account comes to be once its address is confirmed, and the answer to a registration does not reveal whether the address has one."`

	CommandRate    float64       `default:"50" env:"WENZHEN_COMMAND_RATE" shared:"" help:"Commands a second that one user may send, sustained."`
	CommandBurst   int           `default:"500" env:"WENZHEN_COMMAND_BURST" shared:"" help:"Commands that one user may send at once."`
	CommandTimeout time.Duration `default:"10s" env:"WENZHEN_COMMAND_TIMEOUT" help:"How long one command may take."`
	BodyTimeout    time.Duration `default:"20s" env:"WENZHEN_BODY_TIMEOUT" help:"How long the body of a request, or one realtime message, may take to arrive once it has begun; an uploaded file has five minutes. What is sent may be left unread three times as long."`

	AttachmentBytes int64         `default:"20000000" env:"WENZHEN_ATTACHMENT_BYTES" shared:"" help:"The most bytes that one attachment may have."`
	VoiceLength     time.Duration `default:"2m" env:"WENZHEN_VOICE_LENGTH" shared:"" help:"The most that one voice message may last."`
	VoiceBytes      int64         `default:"5000000" env:"WENZHEN_VOICE_BYTES" shared:"" help:"The most bytes that one voice message may have."`
	PacketBytes     int64         `default:"1000000" env:"WENZHEN_PACKET_BYTES" shared:"" help:"The most bytes that one realtime packet may have."`
	SocketsPerUser  int           `default:"20" env:"WENZHEN_SOCKETS_PER_USER" shared:"" help:"Realtime connections that one user may have."`
	Connections     int           `default:"0" env:"WENZHEN_CONNECTIONS" help:"Realtime connections in all; 0 is no limit."`
	AcceptRate      int           `default:"0" env:"WENZHEN_ACCEPT_RATE" help:"Realtime connections a second that are let in, so that those who lost another node do not come all at once; the others wait up to two seconds and are then asked to come later. 0 is 4,000 for each processor."`
	MemoryLimit     uint64        `default:"0" env:"WENZHEN_MEMORY_LIMIT" help:"Heap in bytes above which new realtime connections are refused; 0 is no limit."`

	PingInterval      time.Duration `default:"25s" env:"WENZHEN_PING_INTERVAL" help:"How often the server asks a realtime connection whether it is there (Engine.IO's pingInterval; a PING on /chat)."`
	PingTimeout       time.Duration `default:"20s" env:"WENZHEN_PING_TIMEOUT" help:"How long it waits for an answer before it counts the connection as lost (pingTimeout)."`
	ReconnectDelay    time.Duration `default:"500ms" env:"WENZHEN_RECONNECT_DELAY" help:"After how long clients are advised to come back when a connection was lost; the pause doubles with every try, and is spread at random."`
	ReconnectDelayMax time.Duration `default:"5s" env:"WENZHEN_RECONNECT_DELAY_MAX" help:"The longest pause between two tries that clients are advised to make."`

	ConnectionsPerAddress int   `default:"0" env:"WENZHEN_CONNECTIONS_PER_ADDRESS" help:"Realtime connections that one address may have; 0 is no limit. A clinic, or a mobile network, is one address."`
	WaitingConnections    int   `default:"4096" env:"WENZHEN_WAITING_CONNECTIONS" help:"HTTP connections that may be open without asking for anything; past it the one that has waited longest is closed. Each is an open file."`
	AttachmentQuota       int64 `default:"10000000000" env:"WENZHEN_ATTACHMENT_QUOTA" shared:"" help:"The most bytes that all attachments of one user may have together; 0 is no limit."`

	MailServer  string        `env:"WENZHEN_MAIL_SERVER" secret:"" shared:"given" help:"SMTP server for mail: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; ?tls=off at the end speaks no TLS. No mail is sent when not given."`
	MailFrom    string        `default:"Wenzhen <no-reply@localhost>" env:"WENZHEN_MAIL_FROM" shared:"" help:"Sender of mails."`
	MailTimeout time.Duration `default:"20s" env:"WENZHEN_MAIL_TIMEOUT" help:"How long sending one mail or push may take."`
	MailDelay   time.Duration `default:"2m" env:"WENZHEN_MAIL_DELAY" shared:"" help:"How long a notification waits to be read before it is mailed. Invitations to appointments go out at once."`
	PushKey     string        `env:"WENZHEN_PUSH_KEY" secret:"" shared:"apart" help:"Private key that signs pushes to browsers (VAPID), 64 hexadecimal digits. Made and kept in the data folder when not given."`
	PushContact string        `env:"WENZHEN_PUSH_CONTACT" help:"How push services reach you: an e-mail address or an https address. --public-url when not given."`
	PushAllow   []string      `env:"WENZHEN_PUSH_ALLOW" shared:"" help:"Push services (host:port) that may be sent to although their address is not public or has no TLS."`

	CallRing   time.Duration `default:"45s" env:"WENZHEN_CALL_RING" shared:"" help:"How long a call rings before it counts as missed."`
	CallVanish time.Duration `default:"45s" env:"WENZHEN_CALL_VANISH" shared:"" help:"How long a member of a call may be silent before it counts as gone; browsers say every 10 seconds that they are there."`

	TurnAddr          string        `env:"WENZHEN_TURN_ADDR" help:"Address of the relay for calls, UDP and TCP, such as 0.0.0.0:3478; none when not given, except with --demo, which has one on a free port of this machine."`
	TurnPublicIP      string        `env:"WENZHEN_TURN_PUBLIC_IP" help:"IP address at which the relay is reached from outside; that of --turn-addr when not given."`
	TurnHost          string        `env:"WENZHEN_TURN_HOST" help:"Name of the relay, as its certificate has it; the IP address when not given."`
	TurnTLSAddr       string        `env:"WENZHEN_TURN_TLS_ADDR" help:"Address of the relay over TLS, such as 0.0.0.0:5349."`
	TurnTLSCert       string        `env:"WENZHEN_TURN_TLS_CERT" help:"Certificate file of the relay (PEM)." type:"path"`
	TurnTLSKey        string        `env:"WENZHEN_TURN_TLS_KEY" help:"Key file of the relay (PEM)." type:"path"`
	TurnPorts         string        `default:"49152-65535" env:"WENZHEN_TURN_PORTS" help:"UDP ports that relays may use."`
	TurnAllowPrivate  bool          `env:"WENZHEN_TURN_ALLOW_PRIVATE" shared:"" help:"Let relays reach loopback and private addresses. For trying calls on one machine or at home; --demo does."`
	TurnRelays        int           `default:"1000" env:"WENZHEN_TURN_RELAYS" help:"Relays at a time."`
	TurnRelaysPerUser int           `default:"20" env:"WENZHEN_TURN_RELAYS_PER_USER" shared:"" help:"Relays at a time that one user may have. A device in a call takes up to four for each other member."`
	TurnSecret        string        `env:"WENZHEN_TURN_SECRET" secret:"" shared:"apart" help:"Key that makes the relay's credentials, at least 32 characters. Made and kept in the data folder when not given."`
	IceServers        []string      `env:"WENZHEN_ICE_SERVERS" shared:"" help:"Further STUN and TURN servers, such as turn:turn.example:3478?transport=udp."`
	IceSecret         string        `env:"WENZHEN_ICE_SECRET" secret:"" shared:"" help:"The secret shared with those TURN servers (coturn: use-auth-secret, static-auth-secret)."`
	IceLife           time.Duration `default:"10m" env:"WENZHEN_ICE_LIFE" shared:"" help:"How long a relay's credential may be used to begin with; a call that has its relay keeps it while the call and the session last."`
	Lobby             string        `default:"open" enum:"open,users,off" env:"WENZHEN_LOBBY" shared:"" help:"Who may enter the chat hall, over Socket.IO and at /chat: \"open\", anyone; \"users\", who is logged in; \"off\", nobody."`
	LobbyWelcome      string        `default:"Welcome to the lobby of Wenzhen. Everyone here can read what you say. 欢迎来到问诊大厅，您说的话所有人都能看到。" env:"WENZHEN_LOBBY_WELCOME" shared:"" help:"The line with which the chat hall welcomes."`

	TLSCert string `env:"WENZHEN_TLS_CERT" help:"Certificate file (PEM), with its chain; the server then speaks HTTPS and HTTP/2. It may be replaced while the server runs." type:"path"`
	TLSKey  string `env:"WENZHEN_TLS_KEY" help:"Key file of the certificate (PEM)." type:"path"`

	AcmeDomains   []string `env:"WENZHEN_ACME_DOMAINS" help:"Domains to get certificates for by itself (ACME), such as clinic.example; by this you agree to the terms of the authority. It must reach this machine on port 443, or on 80 with --http-addr :80."`
	AcmeEmail     string   `env:"WENZHEN_ACME_EMAIL" help:"Where the authority may write about certificates."`
	AcmeDirectory string   `default:"https://acme-v02.api.letsencrypt.org/directory" env:"WENZHEN_ACME_DIRECTORY" help:"The authority's ACME directory; Let's Encrypt when not given."`
	AcmeRoots     string   `env:"WENZHEN_ACME_ROOTS" help:"Certificates (PEM) by which to trust the directory, if it is a private authority's." type:"path"`

	HTTPAddr string `env:"WENZHEN_HTTP_ADDR" help:"Address of a listener that sends browsers on to HTTPS, such as :80."`

	MetricsAddr string `env:"WENZHEN_METRICS_ADDR" help:"Address of a private listener with metrics for Prometheus (/metrics) and Go's profiler (/debug/pprof/), such as 127.0.0.1:9090; none when not given. It asks for no login: never on the open internet."`

	OTLPEndpoint string  `env:"WENZHEN_OTLP_ENDPOINT" help:"Address of an OpenTelemetry collector that takes traces over HTTP (OTLP), such as http://collector:4318; nothing is traced when not given."`
	OTLPHeaders  string  `env:"WENZHEN_OTLP_HEADERS" secret:"" help:"Headers for the collector, such as Authorization=Bearer abc; several have commas between them."`
	TraceRatio   float64 `default:"1" env:"WENZHEN_TRACE_RATIO" help:"The share of traces that are recorded, 0 to 1."`

	Origins        []string `env:"WENZHEN_ORIGINS" shared:"" help:"Origins of other sites whose pages may use this server, such as https://clinic.example."`
	TrustedProxies []string `env:"WENZHEN_TRUSTED_PROXIES" help:"Addresses or networks of proxies whose X-Forwarded-For is believed."`

	Gateways []string `env:"WENZHEN_GATEWAYS" shared:"" help:"Ways to pay, in the order in which they are offered: stripe, alipay, alipay_qr, wechat, sandbox (play money, the default with --demo). Without one only free services can be booked."`

	PayWithin         time.Duration `default:"15m" env:"WENZHEN_PAY_WITHIN" shared:"" help:"How long a consultation waits for its payment, and a slot is held for it."`
	CancelFullBefore  time.Duration `default:"24h" env:"WENZHEN_CANCEL_FULL_BEFORE" shared:"" help:"How long before its start a patient who cancels an appointment gets a full refund. A change also applies to existing bookings."`
	CancelPartBefore  time.Duration `default:"2h" env:"WENZHEN_CANCEL_PART_BEFORE" shared:"" help:"How long before its start a patient who cancels gets a partial refund; later there is none."`
	CancelPartPercent int           `default:"50" env:"WENZHEN_CANCEL_PART_PERCENT" shared:"" help:"That part, in percent of the price."`
	PlatformFee       int           `default:"0" env:"WENZHEN_PLATFORM_FEE" shared:"" help:"The platform's share of what doctors earn, in hundredths of a percent."`

	UnpaidHolds     int `default:"5" env:"WENZHEN_UNPAID_HOLDS" shared:"" help:"Consultations and slots that one person may hold unpaid at a time; 0 is no limit."`
	UnpaidHoldsADay int `default:"20" env:"WENZHEN_UNPAID_HOLDS_A_DAY" shared:"" help:"Consultations and slots of one person that may end unpaid or cancelled within 24 hours; 0 is no limit."`
	FreeOpen        int `default:"10" env:"WENZHEN_FREE_OPEN" shared:"" help:"Free consultations that one person may have open at a time, booked ones included; 0 is no limit."`
	FreeADay        int `default:"40" env:"WENZHEN_FREE_A_DAY" shared:"" help:"Free consultations that one person may open within 24 hours; 0 is no limit."`
	InvitationsADay int `default:"50" env:"WENZHEN_INVITATIONS_A_DAY" shared:"" help:"Invitations to consultations that one person may send within 24 hours; 0 is no limit."`
	InvitedADay     int `default:"20" env:"WENZHEN_INVITED_A_DAY" shared:"" help:"Invitations to one person or address within 24 hours from consultations that no doctor has accepted; the ones after that are held until the doctor accepts. One sender may send a quarter of it to one person. 0 is no limit."`

	StripeKey           string `env:"WENZHEN_STRIPE_KEY" secret:"" shared:"" help:"Stripe's secret key."`
	StripeWebhookSecret string `env:"WENZHEN_STRIPE_WEBHOOK_SECRET" secret:"" shared:"" help:"Secret of the webhook at Stripe that calls /api/v1/webhooks/stripe."`
	StripeURL           string `default:"https://api.stripe.com" env:"WENZHEN_STRIPE_URL" shared:"" help:"Address of Stripe's API."`

	AlipayApp      string `env:"WENZHEN_ALIPAY_APP" shared:"" help:"Id of the application at Alipay."`
	AlipayKey      string `env:"WENZHEN_ALIPAY_KEY" secret:"" shared:"" help:"The application's private key."`
	AlipayAppCert  string `env:"WENZHEN_ALIPAY_APP_CERT" secret:"" shared:"" help:"The application's certificate, PEM."`
	AlipayCert     string `env:"WENZHEN_ALIPAY_CERT" secret:"" shared:"" help:"Alipay's certificate, PEM."`
	AlipayRootCert string `env:"WENZHEN_ALIPAY_ROOT_CERT" secret:"" shared:"" help:"Alipay's root certificates, PEM."`
	AlipayURL      string `default:"https://openapi.alipay.com/gateway.do" env:"WENZHEN_ALIPAY_URL" shared:"" help:"Address of Alipay's gateway."`

	WechatApp      string `env:"WENZHEN_WECHAT_APP" shared:"" help:"Id of the application at WeChat."`
	WechatMerchant string `env:"WENZHEN_WECHAT_MERCHANT" shared:"" help:"Number of the merchant at WeChat Pay."`
	WechatSerial   string `env:"WENZHEN_WECHAT_SERIAL" shared:"" help:"Serial number of the merchant's certificate."`
	WechatKey      string `env:"WENZHEN_WECHAT_KEY" secret:"" shared:"" help:"The merchant's private key, PEM."`
	WechatAPIKey   string `env:"WENZHEN_WECHAT_API_KEY" secret:"" shared:"" help:"The merchant's APIv3 key."`
	WechatCerts    string `env:"WENZHEN_WECHAT_CERTS" secret:"" shared:"" help:"Certificates of WeChat Pay's platform, PEM, one after another."`
	WechatURL      string `default:"https://api.mch.weixin.qq.com" env:"WENZHEN_WECHAT_URL" shared:"" help:"Address of WeChat Pay's API."`

	GOGC         int           `default:"200" env:"WENZHEN_GOGC" help:"Go's garbage collection percentage. 200 trades memory for a third less collecting."`
	DrainTimeout time.Duration `default:"10s" env:"WENZHEN_DRAIN_TIMEOUT" help:"How long a shutdown lets running requests finish."`
	DrainNotice  time.Duration `default:"3s" env:"WENZHEN_DRAIN_NOTICE" help:"How long a shutdown still answers requests, /readyz with 503, so that balancers notice; only with --trusted-proxies. It is part of --drain-timeout, and at most half of it."`
	DrainPace    int           `default:"500" env:"WENZHEN_DRAIN_PACE" help:"Realtime connections a second that a shutdown closes, so that they do not all come to the other nodes at once; more where half of --drain-timeout would not do otherwise. 0 closes all at once."`
	LogLevel     string        `default:"info" enum:"debug,info,warn,error" env:"WENZHEN_LOG_LEVEL" help:"The least important lines to log."`
	LogFormat    string        `default:"text" enum:"text,json" env:"WENZHEN_LOG_FORMAT" help:"How log lines are written."`
}

// Validate tells which setting is out of range.
func (c Config) Validate() error {
	for _, s := range []struct {
		ok   bool
		what string
	}{
		{c.PublicURL == "" || validPublicURL(c.PublicURL), "--public-url must be http:// or https:// and a host, without a path"},
		{c.TokenKey == "" || len(c.TokenKey) >= 32, "--token-key must have at least 32 characters"},
		{acceptable(c.AcceptNewKeys), "--accept-new-keys can be seal, account and audit"},
		{database.IsSetting(c.Database), "--database must be \"sqlite\" or a postgres:// URL"},
		{c.SealKey == "" || len(c.SealKey) >= 32, "--seal-key must have at least 32 characters"},
		{c.EncryptionKey == "" || len(c.EncryptionKey) >= 32, "--encryption-key must have at least 32 characters"},
		{c.EncryptionKey == "" || c.EncryptionCommand == "", "only one of --encryption-key and --encryption-command can be given"},
		{c.KeepMessages >= 0 && c.KeepRecords >= 0, "--keep-messages and --keep-records must not be negative"},
		{c.AccountKey == "" || len(c.AccountKey) >= 32, "--account-key must have at least 32 characters"},
		{c.TokenKeyLife >= 0 && (c.TokenKeyLife == 0 || c.TokenKeyLife > c.AccessLife), "--token-key-life must be longer than --access-life, or 0"},
		{c.IdleLogOff == 0 || c.IdleLogOff >= time.Second, "--idle-log-off must be at least a second, or 0"},
		{c.AccessLife > 0 && c.RefreshLife > c.AccessLife, "--refresh-life must be longer than --access-life, and both positive"},
		{c.LoginFailures > 0 && c.LoginAddressFailures > 0 && c.LoginWindow > 0 && c.Registrations > 0, "the login limits must be positive"},
		{c.SecondFactorGuesses > 0 && c.AccountMails > 0 && c.SignConfirm >= 0, "--second-factor-guesses and --account-mails must be positive, and --sign-confirm not negative"},
		{c.CommandRate > 0 && c.CommandBurst > 0 && c.CommandTimeout > 0, "the command limits must be positive"},
		{c.AttachmentBytes > 0 && c.PacketBytes >= 16<<10, "--attachment-bytes must be positive and --packet-bytes at least 16384"},
		{c.VoiceLength >= time.Second && c.VoiceBytes > 0, "--voice-length must be at least a second, and --voice-bytes positive"},
		{c.SocketsPerUser > 0 && c.Connections >= 0, "--sockets-per-user must be positive and --connections not negative"},
		{c.CallRing > 0 && c.CallVanish > 0, "--call-ring and --call-vanish must be positive"},
		{c.PingInterval >= time.Second && c.PingTimeout >= time.Second, "--ping-interval and --ping-timeout must be at least a second"},
		{c.ReconnectDelay >= time.Millisecond && c.ReconnectDelayMax >= c.ReconnectDelay, "--reconnect-delay must be at least a millisecond, and --reconnect-delay-max no shorter"},
		{c.BodyTimeout >= time.Second, "--body-timeout must be at least a second"},
		{c.WaitingConnections > 0, "--waiting-connections must be positive"},
		{c.AttachmentQuota >= 0, "--attachment-quota must not be negative"},
		{c.ConnectionsPerAddress >= 0, "--connections-per-address must not be negative"},
		{c.TurnRelays > 0 && c.TurnRelaysPerUser > 0 && c.IceLife > 0, "the relay's limits must be positive"},
		{c.TurnSecret == "" || len(c.TurnSecret) >= 32, "--turn-secret must have at least 32 characters"},
		{(c.TurnTLSAddr == "") == (c.TurnTLSCert == "") && (c.TurnTLSCert == "") == (c.TurnTLSKey == ""), "--turn-tls-addr, --turn-tls-cert and --turn-tls-key belong together"},
		{c.PayWithin > 0, "--pay-within must be positive"},
		{min(c.UnpaidHolds, c.UnpaidHoldsADay, c.FreeOpen, c.FreeADay, c.InvitationsADay, c.InvitedADay) >= 0, "the limits per person must not be negative"},
		{c.InvitedMost >= 0, "--invited-most must not be negative"},
		{c.CancelPartBefore >= 0 && c.CancelFullBefore >= c.CancelPartBefore, "--cancel-full-before must not be less than --cancel-part-before, and neither negative"},
		{c.CancelPartPercent >= 0 && c.CancelPartPercent <= 100, "--cancel-part-percent must be 0 to 100"},
		{(c.TLSCert == "") == (c.TLSKey == ""), "--tls-cert and --tls-key belong together"},
		{c.HTTPAddr == "" || c.TLSCert != "" || len(c.AcmeDomains) > 0, "--http-addr sends browsers on to HTTPS, which needs --tls-cert and --tls-key, or --acme-domains"},
		{len(c.AcmeDomains) == 0 || c.TLSCert == "" && c.PublicURL != "", "--acme-domains goes with --public-url, and not with --tls-cert"},
		{c.PlatformFee >= 0 && c.PlatformFee <= 10_000, "--platform-fee must be 0 to 10000"},
		{c.MailTimeout > 0 && c.MailDelay >= 0, "--mail-timeout must be positive and --mail-delay not negative"},
		{c.TraceRatio >= 0 && c.TraceRatio <= 1, "--trace-ratio must be 0 to 1"},
		{c.AcceptRate >= 0, "--accept-rate must not be negative"},
		{c.DrainTimeout > 0 && c.DrainPace >= 0, "--drain-timeout must be positive and --drain-pace not negative"},
		{c.DrainNotice >= 0, "--drain-notice must not be negative"},
	} {
		if !s.ok {
			return fmt.Errorf("configuration: %s", s.what)
		}
	}
	return nil
}

func acceptable(kinds []string) bool {
	return !slices.ContainsFunc(kinds, func(kind string) bool {
		return kind != engine.SealKey && kind != engine.AccountKey && kind != engine.AuditKey
	})
}

// origins are those whose pages may open sockets besides the host that was
// asked for: our own too, for a proxy may ask for us by another name.
func (c Config) origins() []string {
	if c.PublicURL == "" {
		return c.Origins
	}
	return append([]string{c.PublicURL}, c.Origins...)
}

// acceptEach is how many handshakes with logins a second one processor is
// trusted with by itself, which is half of what it can do.
const acceptEach = 4000

func (c Config) acceptRate() int { return cmp.Or(c.AcceptRate, acceptEach*runtime.GOMAXPROCS(0)) }

// crossOrigins are those of CORS; without --origins nothing is answered at all.
func (c Config) crossOrigins() []string {
	if len(c.Origins) == 0 {
		return nil
	}
	return c.origins()
}

// withoutSlashes is the configuration with the addresses of browsers as they send
// them in Origin: https://clinic.example/ is https://clinic.example.
func (c Config) withoutSlashes() Config {
	c.PublicURL, c.Origins = strings.TrimSuffix(c.PublicURL, "/"), slices.Clone(c.Origins)
	for i, origin := range c.Origins {
		c.Origins[i] = strings.TrimSuffix(origin, "/")
	}
	return c
}

func validPublicURL(s string) bool {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == ""
}

// ReadSecretFiles puts what WENZHEN_…_FILE names into WENZHEN_…, for every
// setting tagged secret. getenv and setenv are the process's in main.
func ReadSecretFiles(getenv func(string) string, setenv func(key, value string) error) error {
	names := []string{"WENZHEN_ENCRYPTION_KEY_NEXT"} // of a command, not of serve
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if _, secret := t.Field(i).Tag.Lookup("secret"); secret {
			names = append(names, t.Field(i).Tag.Get("env"))
		}
	}
	for _, name := range names {
		if getenv(name+"_FILE") == "" {
			continue
		}
		if getenv(name) != "" {
			return fmt.Errorf("configuration: both %s and %s_FILE are set", name, name)
		}
		content, err := os.ReadFile(getenv(name + "_FILE"))
		if err != nil {
			return fmt.Errorf("configuration: %s_FILE: %w", name, err)
		}
		if err := setenv(name, strings.TrimSpace(strings.TrimPrefix(string(content), "\ufeff"))); err != nil {
			return fmt.Errorf("configuration: %s_FILE: %w", name, err)
		}
	}
	return nil
}

func isUpper(b byte) bool { return b >= 'A' && b <= 'Z' }

// flagName writes a field's name as a flag: SocketsPerUser is sockets-per-user,
// TLSCert is tls-cert.
func flagName(field string) string {
	var b strings.Builder
	for i, r := range field {
		upper := isUpper(field[i])
		if upper && i > 0 && (!isUpper(field[i-1]) || i+1 < len(field) && !isUpper(field[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
