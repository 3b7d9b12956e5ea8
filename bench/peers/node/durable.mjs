// Durable chat as it is usually written with Socket.IO and SQLite: each message is
// one transaction with the writes of Wenzhen: the room's seq, the row of the message
// and that of the event. The token is verified once per connection, membership and
// state once per message.
//
//   node durable.mjs FILE NORMAL|FULL
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { Server } from "socket.io";
import Database from "better-sqlite3";
import { listen } from "./listen.mjs";

const [file, synchronous] = process.argv.slice(2);
const db = new Database(file);
db.pragma("journal_mode = WAL");
db.pragma(`synchronous = ${synchronous}`);
db.pragma("cache_size = -65536");
db.exec(`
  CREATE TABLE rooms (id TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, last_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (pos INTEGER PRIMARY KEY, room TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
    at INTEGER NOT NULL, actor_id TEXT NOT NULL, data TEXT NOT NULL);
  CREATE UNIQUE INDEX events_room_seq ON events (room, seq);
  CREATE TABLE consultations (id TEXT PRIMARY KEY, status TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE participants (consultation_id TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (consultation_id, user_id)) WITHOUT ROWID;
  CREATE TABLE messages (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, consultation_id TEXT NOT NULL, seq INTEGER NOT NULL,
    client_id TEXT NOT NULL, sender_id TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL);
  CREATE UNIQUE INDEX messages_seq ON messages (consultation_id, seq);
  CREATE UNIQUE INDEX messages_client_id ON messages (consultation_id, sender_id, client_id);
`);

const admitted = db.prepare(`SELECT c.status FROM participants p JOIN consultations c ON c.id = p.consultation_id
  WHERE p.consultation_id = ? AND p.user_id = ?`);
const nextSeq = db.prepare(`INSERT INTO rooms (id, last_seq, last_at) VALUES (?, 1, ?)
  ON CONFLICT (id) DO UPDATE SET last_seq = rooms.last_seq + 1, last_at = excluded.last_at RETURNING last_seq`);
const insertMessage = db.prepare(`INSERT INTO messages (id, consultation_id, seq, client_id, sender_id, kind, text, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
const insertEvent = db.prepare(`INSERT INTO events (room, seq, id, name, at, actor_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)`);
const eventsAfter = db.prepare(`SELECT seq, id, name, at, actor_id AS actorId, data FROM events WHERE room = ? AND seq > ? ORDER BY seq LIMIT 200`);
const lastSeq = db.prepare(`SELECT last_seq FROM rooms WHERE id = ?`).pluck();

const say = db.transaction((room, user, { consultationId, clientId, kind, text }) => {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const { last_seq: seq } = nextSeq.get(room, now * 1000);
  const message = { id: randomUUID(), clientId, consultationId, seq, senderId: user, kind, text, createdAt: at };
  insertMessage.run(message.id, consultationId, seq, clientId, user, kind, text, now * 1000);
  const entry = { room, seq, id: randomUUID(), name: "message:created", at, actorId: user, data: message };
  insertEvent.run(room, seq, entry.id, entry.name, now * 1000, user, JSON.stringify(message));
  return entry;
});

const key = randomBytes(32);
const sign = (user) => `${user}.${createHmac("sha256", key).update(user).digest("base64url")}`;
function verify(token = "") {
  const user = token.slice(0, token.lastIndexOf("."));
  const given = Buffer.from(token);
  const right = Buffer.from(sign(user));
  return given.length === right.length && timingSafeEqual(given, right) ? user : undefined;
}

// world creates consultations of two and returns their tokens.
const world = db.transaction((n) =>
  Array.from({ length: n }, () => {
    const id = randomUUID();
    const people = [randomUUID(), randomUUID()];
    db.prepare(`INSERT INTO consultations VALUES (?, 'active')`).run(id);
    for (const user of people) db.prepare(`INSERT INTO participants VALUES (?, ?)`).run(id, user);
    return { id, patient: sign(people[0]), doctor: sign(people[1]) };
  }),
);

const http = listen((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/world") return response.end(JSON.stringify(world(Number(url.searchParams.get("consultations")))));
  response.writeHead(404).end();
});
const io = new Server(http, { serveClient: false });
const consultations = io.of("/consultations");

consultations.use((socket, next) => {
  socket.data.user = verify(socket.handshake.auth.token);
  next(socket.data.user ? undefined : new Error("unauthenticated"));
});

consultations.on("connection", (socket) => {
  const { user } = socket.data;
  socket.on("consultation:join", ({ consultationId, after = 0 }, acknowledge) => {
    if (!admitted.get(consultationId, user)) return acknowledge({ ok: false, error: { code: "not_found" } });
    const room = `consultation:${consultationId}`;
    socket.join(room);
    const events = eventsAfter.all(room, after).map((e) => ({ ...e, room, at: new Date(e.at / 1000).toISOString(), data: JSON.parse(e.data) }));
    const last = lastSeq.get(room) ?? 0;
    acknowledge({ ok: true, data: { events, lastSeq: last, hasMore: events.length > 0 && events.at(-1).seq < last } });
  });
  socket.on("message:send", (input, acknowledge) => {
    const { consultationId, clientId, kind, text } = input ?? {};
    if (typeof consultationId !== "string" || typeof clientId !== "string" || kind !== "text" || typeof text !== "string" || text.length === 0 || text.length > 10000) {
      return acknowledge({ ok: false, error: { code: "invalid" } });
    }
    const found = admitted.get(consultationId, user);
    if (!found) return acknowledge({ ok: false, error: { code: "not_found" } });
    if (found.status !== "active") return acknowledge({ ok: false, error: { code: "conflict" } });
    const room = `consultation:${consultationId}`;
    const entry = say(room, user, input);
    consultations.to(room).emit(entry.name, entry);
    acknowledge({ ok: true, data: entry.data });
  });
});
