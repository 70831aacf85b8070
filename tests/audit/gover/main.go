// SPDX-License-Identifier: Apache-2.0

// Command gover checks an Aegis audit log with code that Aegis did not write: golang.org/x/mod/sumdb/note opens the
// signed notes, golang.org/x/mod/sumdb/tlog checks tiles and hashes. Usage: gover LOG VKEY
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...interface{}) {
	fmt.Printf("refused: "+format+"\n", args...)
	os.Exit(1)
}

// parse takes the three lines of a checkpoint apart.
func parse(text, origin, what string) tlog.Tree {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		fail("%s: %d lines instead of 3", what, len(lines)-1)
	}
	if lines[0] != origin {
		fail("%s: origin %q", what, lines[0])
	}
	n, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != lines[1] || n < 0 {
		fail("%s: size %q", what, lines[1])
	}
	h, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(h) != tlog.HashSize {
		fail("%s: root %q", what, lines[2])
	}
	var t tlog.Tree
	t.N = n
	copy(t.Hash[:], h)
	return t
}

// number writes N in groups of three digits, all but the last with x before.
func number(n int64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}

type reader struct {
	dir string
}

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		p := fmt.Sprintf("tile/%d/%s", t.L, number(t.N))
		if t.W < 256 {
			p += fmt.Sprintf(".p/%d", t.W)
		}
		data, err := os.ReadFile(filepath.Join(r.dir, p))
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", p, len(data))
		}
		out = append(out, data)
	}
	return out, nil
}

func (r reader) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// daily opens every note of every daily file and checks its root against the tree.
func daily(dir, origin string, vs note.Verifiers, tree tlog.Tree, hr tlog.HashReader) int {
	files, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "????-??-??"))
	sort.Strings(files)
	last, count := int64(0), 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			fail("%s: %v", f, err)
		}
		for len(data) > 0 {
			cut := bytes.Index(data, []byte("\n\n"))
			if cut < 0 {
				fail("%s: not a note", f)
			}
			end := cut + 2
			for bytes.HasPrefix(data[end:], []byte("\u2014 ")) {
				nl := bytes.IndexByte(data[end:], '\n')
				if nl < 0 {
					fail("%s: no end of line", f)
				}
				end += nl + 1
			}
			n, err := note.Open(data[:end], vs)
			if err != nil {
				fail("%s: %v", f, err)
			}
			t := parse(n.Text, origin, f)
			if t.N < last || t.N > tree.N {
				fail("%s: size %d", f, t.N)
			}
			last = t.N
			if t.N > 0 {
				h, err := tlog.TreeHash(t.N, hr)
				if err != nil {
					fail("%s: %v", f, err)
				}
				if h != t.Hash {
					fail("%s: root of %d rows differs", f, t.N)
				}
			}
			count++
			data = data[end:]
		}
	}
	return count
}

func main() {
	if len(os.Args) != 3 {
		fmt.Println("usage: gover LOG VKEY")
		os.Exit(2)
	}
	dir := os.Args[1]
	v, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fail("verifier key: %v", err)
	}
	vs := note.VerifierList(v)
	data, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		fail("%v", err)
	}
	n, err := note.Open(data, vs)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	tree := parse(n.Text, v.Name(), "checkpoint")
	// TileHashReader authenticates every tile it reads against the signed root.
	hr := tlog.TileHashReader(tree, reader{dir})
	for base := int64(0); base < tree.N; base += 256 {
		w := tree.N - base
		p := "tile/entries/" + number(base/256)
		if w > 256 {
			w = 256
		}
		if w < 256 {
			p += fmt.Sprintf(".p/%d", w)
		}
		bundle, err := os.ReadFile(filepath.Join(dir, p))
		if err != nil {
			fail("%v", err)
		}
		var want []int64
		for i := int64(0); i < w; i++ {
			want = append(want, tlog.StoredHashIndex(0, base+i))
		}
		hashes, err := hr.ReadHashes(want)
		if err != nil {
			fail("tiles of rows %d..%d: %v", base, base+w-1, err)
		}
		for i := int64(0); i < w; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				fail("row %d: the bundle ends", base+i)
			}
			size := int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:2+size]) != hashes[i] {
				fail("row %d: its hash is not the one in the tree", base+i)
			}
			bundle = bundle[2+size:]
		}
		if len(bundle) != 0 {
			fail("%s: bytes are left over", p)
		}
	}
	days := daily(dir, v.Name(), vs, tree, hr)
	fmt.Printf("ok %d rows, %d daily checkpoints\n", tree.N, days)
}
