package app

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
	"wenzhen.example/server/identity"
)

// A server may have lost its keys, or a node may have been given others than
// those that run beside it. Both would look well until somebody verifies a
// document, logs in with a second factor, or meets the other node. So the
// fingerprints of keys are in the database, and nodes compare what they must
// have in common before they join.

// How often a node says that it runs, and for how long a node that differs is
// waited for before it counts as ended.
const (
	beatEvery = 3 * time.Second
	beatLost  = 4 * beatEvery
)

// folderFile names the data folder, so that a node that should share it and does
// not is noticed. Backups do not have it.
const folderFile = "folder.id"

// serverKeys are the keys that the data folder or the settings have.
type serverKeys struct{ token, account, seal, push, turn []byte }

// keyFlags are the settings of the keys, by their kinds.
var keyFlags = map[string]string{
	engine.TokenKey: "--token-key", engine.AccountKey: "--account-key", engine.SealKey: "--seal-key", engine.FolderID: "--data",
	engine.AuditKey: datafolder.AuditKeyFile, // it can only be a file
}

// openKeys reads the server's keys, makes those that are missing, and has the
// server join the nodes of its database. It fails if a key is missing or another
// that is needed, or if a node that runs has something else.
func (s *Server) openKeys(ctx context.Context, _ *parts) error {
	s.secrets = datafolder.Secrets{Dir: s.cfg.Data, Vault: s.db.Vault()}
	n, err := s.secrets.EncryptFiles()
	if err != nil {
		return err
	}
	if n > 0 {
		s.log.Info("encrypted the keys in the data folder", "files", n)
	}
	for kind, k := range s.keySources() {
		if *k.key, err = s.takeKey(ctx, kind, k); err != nil {
			return err
		}
	}
	if err := s.db.CountWith(s.keys.account); err != nil {
		return err
	}
	if err := s.signAudit(ctx); err != nil {
		return err
	}
	folder, err := datafolder.Secrets{Dir: s.cfg.Data, Vault: vault.New(nil)}.Take("", folderFile)
	if err != nil {
		return err
	}
	if s.logins, err = identity.ReadConfig(s.cfg.IdentityProviders); err != nil {
		return err
	}
	if s.enrolled, err = s.asNode(string(folder)); err != nil {
		return err
	}
	if err := s.enrol(ctx); err != nil {
		return err
	}
	s.sealKeys, err = s.knownSealKeys(ctx)
	return err
}

type keySource struct {
	given, file string
	key         *[]byte
}

func (s *Server) keySources() map[string]keySource {
	return map[string]keySource{
		engine.TokenKey:   {s.cfg.TokenKey, datafolder.TokenKeyFile, &s.keys.token},
		engine.AccountKey: {s.cfg.AccountKey, datafolder.AccountKeyFile, &s.keys.account},
		engine.SealKey:    {s.cfg.SealKey, datafolder.SealKeyFile, &s.keys.seal},
		"push":            {s.cfg.PushKey, datafolder.PushKeyFile, &s.keys.push},
		"turn":            {s.cfg.TurnSecret, datafolder.TurnKeyFile, &s.keys.turn},
	}
}

// takeKey makes no new key where the old one is needed.
func (s *Server) takeKey(ctx context.Context, kind string, from keySource) ([]byte, error) {
	if from.given == "" {
		kept, err := s.secrets.Kept(from.file)
		if kept != nil || err != nil {
			return kept, err
		}
		if err := s.db.NeedsKey(ctx, kind); err != nil && !slices.Contains(s.cfg.AcceptNewKeys, kind) {
			return nil, s.explain(err)
		}
	}
	return s.secrets.Take(from.given, from.file)
}

// asNode is this server as others see it.
func (s *Server) asNode(folder string) (engine.Node, error) {
	host, _ := os.Hostname() // for people only
	public := record.SealKey(s.keys.seal)
	keys := []engine.ServerKey{
		{Kind: engine.TokenKey, ID: datafolder.Fingerprint(s.keys.token, engine.TokenKey)},
		{Kind: engine.AccountKey, ID: datafolder.Fingerprint(s.keys.account, engine.AccountKey)},
		{Kind: engine.SealKey, ID: record.SealKeyID(public), Public: base64.StdEncoding.EncodeToString(public)},
		{Kind: engine.FolderID, ID: datafolder.Fingerprint([]byte(folder), engine.FolderID)},
		{Kind: engine.AuditKey, ID: datafolder.Fingerprint(s.auditKey, engine.AuditKey)},
	}
	logins, err := json.Marshal(s.logins)
	if err != nil {
		return engine.Node{}, fmt.Errorf("identity providers: %w", err)
	}
	shared := s.cfg.sharedSettings(s.settingPrint)
	shared["--push-key"] = "key " + s.settingPrint("--push-key", string(s.keys.push))
	shared["--turn-secret"] = "key " + s.settingPrint("--turn-secret", string(s.keys.turn))
	shared["--identity-providers"] = "content " + s.settingPrint("--identity-providers", string(logins))
	for _, k := range keys {
		shared[keyFlags[k.Kind]] = "key " + k.ID
	}
	shared[keyFlags[engine.FolderID]] = "folder " + keys[3].ID
	shared["--encryption-key"] = "not given"
	if s.db.Vault().On() {
		shared["--encryption-key"] = "given"
	}
	return engine.Node{ID: rooms.NewID(s.clock()), Name: host + " (" + s.listener.Addr().String() + ")",
		Keys: keys, Shared: shared, Renew: s.cfg.AcceptNewKeys,
		Sealed: func(hash, seal string) bool {
			raw, err := base64.StdEncoding.DecodeString(seal)
			return err == nil && ed25519.Verify(public, []byte(hash), raw)
		}}, nil
}

// settingPrint names the value of a secret setting. Some are short: somebody who
// reads the database could guess them from a fingerprint that is made without
// the account key.
func (s *Server) settingPrint(setting, value string) string {
	mac := hmac.New(sha256.New, s.keys.account)
	mac.Write([]byte("wenzhen fingerprint of the setting " + setting + "\n" + value))
	return hex.EncodeToString(mac.Sum(nil))[:16]
}

// sharedSettings are the settings that all nodes of a database must have in
// common, without those that are compared apart. print names a secret.
func (c Config) sharedSettings(print func(setting, value string) string) map[string]string {
	all := map[string]string{}
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		how, shared := f.Tag.Lookup("shared")
		if !shared || how == "apart" {
			continue
		}
		flag, value := "--"+flagName(f.Name), written(v.Field(i))
		_, secret := f.Tag.Lookup("secret")
		switch {
		case how != "given" && !secret:
			all[flag] = value
		case value == "":
			all[flag] = "not given"
		case how == "given":
			all[flag] = "given"
		default:
			all[flag] = "secret " + print(flag, value)
		}
	}
	return all
}

// enrol joins the nodes that run. One that differs may have ended without a
// word; it is waited for as long as it takes to know.
func (s *Server) enrol(ctx context.Context) error {
	for {
		err := s.db.Join(ctx, s.enrolled, s.cfg.Database == database.SQLite)
		var unlike *engine.Unlike
		if !errors.As(err, &unlike) {
			return s.explain(err)
		}
		s.log.Warn("another node has other settings; waiting to see whether it still runs",
			"node", unlike.Node, "setting", unlike.Setting)
		runs, err := outlives(ctx, s.db, unlike)
		if err != nil {
			return err
		}
		if runs {
			return s.explain(unlike)
		}
		if err := s.db.Gone(ctx, unlike); err != nil {
			return err
		}
	}
}

// outlives reports whether a node says within beatLost that it runs.
func outlives(ctx context.Context, db *engine.DB, node *engine.Unlike) (bool, error) {
	end := time.NewTimer(beatLost)
	defer end.Stop()
	tick := time.NewTicker(beatEvery / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-end.C:
			return db.Running(ctx, node)
		case <-tick.C:
			if runs, err := db.Running(ctx, node); runs || err != nil {
				return runs, err
			}
		}
	}
}

// beat says again and again that this node runs, until ctx ends.
func beat(ctx context.Context, db *engine.DB, node engine.Node, log *slog.Logger) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := db.Beat(ctx, node); err != nil && ctx.Err() == nil {
			log.Error("other nodes may not see that this one runs", "error", err)
		}
	}
}

// leave says that this node has ended.
func (s *Server) leave() error {
	if s.enrolled.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), beatEvery)
	defer cancel()
	if err := s.db.ForgetNode(ctx, s.enrolled.ID); err != nil {
		s.log.Warn("other nodes will notice by themselves that this one has ended", "error", err)
	}
	return nil
}

// explain says what to do about a key that is lost or a node that differs.
func (s *Server) explain(err error) error {
	var lost *engine.KeyLost
	var unlike *engine.Unlike
	switch {
	case errors.As(err, &lost):
		return lostKey(lost)
	case errors.As(err, &unlike):
		return fmt.Errorf("this node cannot join: %s is %q here, and %q on the node %s, which is running; "+
			"all nodes of a database need the same settings, keys and data folder. To change it, stop all of them first (docs/operations.md)",
			unlike.Setting, unlike.Here, unlike.There, unlike.Node)
	}
	return err
}

// losses are what a lost key was needed for, and what follows from another one.
var losses = map[string]struct{ needed, then string }{
	engine.SealKey: {"the database has signed documents", "Documents that were signed before can then be verified only " +
		"if the database has their public key; otherwise they verify as signed with an unknown key"},
	engine.AccountKey: {"accounts have second factors", "Nobody can use a second factor or a recovery code from before then: an admin has to reset them"},
	engine.AuditKey: {"the audit log is signed with it", "That nobody has rewritten the entries from before then " +
		"can only be shown by comparing them with an earlier export (wenzhen audit verify --against)"},
}

func lostKey(lost *engine.KeyLost) error {
	which, give := "", ""
	if lost.Want != "" {
		which = " (" + lost.Want + ")"
	}
	if flag := keyFlags[lost.Kind]; lost.Kind != engine.AuditKey {
		give = ", or give the old key with " + flag
	}
	return fmt.Errorf("the %s key is missing, or is not the one that was in use%s, and %s. "+
		"Put %s.key back into the data folder (every backup has it)%s. "+
		"If it is lost, start once with --accept-new-keys %s. %s (docs/operations.md)",
		lost.Kind, which, losses[lost.Kind].needed, lost.Kind, give, lost.Kind, losses[lost.Kind].then)
}

// knownSealKeys are the public keys that documents are verified with: those that
// the data folder lists, and this server's own, which is added to the list. The
// database has them too, but somebody who can write it could add their own. Only
// where there is no list yet does it begin with the keys of the database.
func (s *Server) knownSealKeys(ctx context.Context) ([]ed25519.PublicKey, error) {
	kept, err := s.secrets.Kept(datafolder.SealKeysFile)
	if err != nil {
		return nil, err
	}
	stored, err := s.db.ServerKeys(ctx, engine.SealKey)
	if err != nil {
		return nil, err
	}
	listed := strings.Fields(string(kept))
	before := len(listed)
	if own := base64.StdEncoding.EncodeToString(record.SealKey(s.keys.seal)); !slices.Contains(listed, own) {
		listed = append(listed, own)
	}
	for _, k := range stored {
		switch {
		case slices.Contains(listed, k.Public):
		case kept == nil:
			listed = append(listed, k.Public)
		default:
			s.log.Error("the database has a public key that this server has never used: documents signed with it verify as signed with an unknown key",
				"key", k.ID)
		}
	}
	if len(listed) > before {
		if err := s.secrets.Put(datafolder.SealKeysFile, strings.Join(listed, "\n")); err != nil {
			return nil, err
		}
	}
	keys := make([]ed25519.PublicKey, len(listed))
	for i, k := range listed {
		raw, err := base64.StdEncoding.DecodeString(k)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%s is damaged: %q is no public key; restore it from a backup", datafolder.SealKeysFile, k)
		}
		keys[i] = raw
	}
	return keys, nil
}
