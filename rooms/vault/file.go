package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An encrypted file is fileMark, the id of the data key, the file's own key encrypted
// with that data key for the hash of the content, and the content in chunks.
// Each chunk is encrypted with the file's key; its nonce is its number and whether
// it is the last one, so that chunks cannot be left out, swapped or cut off
// (STREAM; Hoang, Reyhanitabar, Rogaway, Vizár 2015).
const (
	fileMark       = "\x00wz1file"
	chunkBytes     = 64 << 10
	encryptedKey   = 12 + keyBytes + 16 // nonce, key, tag
	headerBytes    = len(fileMark) + idBytes + encryptedKey
	tagBytes       = 16
	encryptedChunk = chunkBytes + tagBytes
	nonceBytes     = 12
	lastChunkBit   = 1
)

// filePlace is what a file's key is bound to.
func filePlace(sum string) []byte { return []byte("file/" + sum) }

// IsEncryptedFile reports whether a file that begins like this is encrypted.
func IsEncryptedFile(begin []byte) bool { return bytes.HasPrefix(begin, []byte(fileMark)) }

// FileWriter encrypts what is written to it into a file. The hash of the content
// is known at the end only: Close writes it.
type FileWriter struct {
	to     file
	id     string
	data   cipher.AEAD // the data key
	key    []byte      // the file's
	chunks cipher.AEAD
	number uint64
	buffer []byte // of the chunk that is not full, or may be the last
}

type file interface {
	io.Writer
	io.WriterAt
}

// NewFile begins an encrypted file, which is empty. It is nil while the vault is off.
func (v *Vault) NewFile(to file) (*FileWriter, error) {
	r := v.ring.Load()
	if r == nil {
		return nil, nil
	}
	w := &FileWriter{to: to, id: r.current, data: r.by[r.current], key: make([]byte, keyBytes), buffer: make([]byte, 0, chunkBytes)}
	_, _ = rand.Read(w.key) // never fails (crypto/rand)
	var err error
	if w.chunks, err = chunkAEAD(w.key); err != nil {
		return nil, err
	}
	_, err = to.Write(make([]byte, headerBytes)) // until Close
	return w, err
}

// Write implements io.Writer.
func (w *FileWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if len(w.buffer) == chunkBytes {
			if err := w.flush(0); err != nil {
				return len(p) - len(rest), err
			}
		}
		n := min(len(rest), chunkBytes-len(w.buffer))
		w.buffer, rest = append(w.buffer, rest[:n]...), rest[n:]
	}
	return len(p), nil
}

func (w *FileWriter) flush(last byte) error {
	_, err := w.to.Write(w.chunks.Seal(nil, chunkNonce(w.number, last), w.buffer, nil))
	w.number, w.buffer = w.number+1, w.buffer[:0]
	return err
}

// Close ends the file, whose content has the hash sum. The file below stays open.
func (w *FileWriter) Close(sum string) error {
	if err := w.flush(lastChunkBit); err != nil {
		return err
	}
	header := append([]byte(fileMark), w.id...)
	_, err := w.to.WriteAt(append(header, w.data.Seal(nil, nil, w.key, filePlace(sum))...), 0)
	return err
}

// FileReader reads the content of an encrypted file.
type FileReader struct {
	from   io.ReaderAt
	chunks cipher.AEAD
	size   int64 // of the content
	last   int64 // the number of the last chunk
	at     int64
	number int64 // of the chunk in buffer; -1 is none
	buffer []byte
}

// OpenFile opens an encrypted file of size bytes that is kept for the content whose
// hash is sum. Errors: it is another content's; it was changed or cut off; its
// data key is not there.
func (v *Vault) OpenFile(from io.ReaderAt, size int64, sum string) (*FileReader, error) {
	header, err := readHeader(from)
	if err != nil {
		return nil, err
	}
	data, err := v.key(headerID(header))
	if err != nil {
		return nil, err
	}
	key, err := data.Open(nil, nil, header[len(fileMark)+idBytes:], filePlace(sum))
	if err != nil {
		return nil, errors.New("the file was changed, or is another's")
	}
	r := &FileReader{from: from, number: -1}
	if r.chunks, err = chunkAEAD(key); err != nil {
		return nil, err
	}
	body := size - int64(headerBytes)
	r.last = (body - 1) / encryptedChunk
	if r.size = body - (r.last+1)*tagBytes; body < tagBytes || r.size < r.last*chunkBytes {
		return nil, errCut
	}
	return r, r.load(r.last) // detects a missing end even if only the beginning is read
}

var errCut = errors.New("the file was changed or cut off")

// FileKey is the id of the data key that an encrypted file was encrypted with.
func FileKey(from io.ReaderAt) (string, error) {
	header, err := readHeader(from)
	if err != nil {
		return "", err
	}
	return headerID(header), nil
}

func readHeader(from io.ReaderAt) ([]byte, error) {
	header := make([]byte, headerBytes)
	if _, err := from.ReadAt(header, 0); err != nil || !IsEncryptedFile(header) {
		return nil, fmt.Errorf("the file is not sealed, or cut off: %w", errors.Join(err, errCut))
	}
	return header, nil
}

func headerID(header []byte) string { return string(header[len(fileMark) : len(fileMark)+idBytes]) }

// load puts a chunk into the buffer.
func (r *FileReader) load(number int64) error {
	if r.number == number {
		return nil
	}
	encrypted, last := make([]byte, encryptedChunk), byte(0)
	if number == r.last {
		encrypted, last = encrypted[:r.size-number*chunkBytes+tagBytes], lastChunkBit
	}
	if _, err := r.from.ReadAt(encrypted, int64(headerBytes)+number*encryptedChunk); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read a sealed file: %w", err)
	}
	plain, err := r.chunks.Open(encrypted[:0], chunkNonce(uint64(number), last), encrypted, nil)
	if err != nil {
		return errCut
	}
	r.number, r.buffer = number, plain
	return nil
}

// Read implements io.Reader.
func (r *FileReader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if err := r.load(r.at / chunkBytes); err != nil {
		return 0, err
	}
	n := copy(p, r.buffer[r.at%chunkBytes:])
	r.at += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (r *FileReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// chunkAEAD is AES-256-GCM with nonces that are counted: the key is one file's.
func chunkAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func chunkNonce(number uint64, last byte) []byte {
	nonce := make([]byte, nonceBytes)
	binary.BigEndian.PutUint64(nonce, number)
	nonce[nonceBytes-1] = last
	return nonce
}
