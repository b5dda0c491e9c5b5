// Package flowtable finds flows among a million: a seeded hash of addresses and
// ports, an [Index] from hash to record number, and a [Slab] of records; or, for flows
// that are looked for by one key alone, a [Directory] of buckets that hold the records
// themselves, so that a flow is found with one look at memory.
//
// Nothing in it holds a pointer but two short directories, so a million flows
// cost the garbage collector next to nothing. No large table is ever copied whole:
// the index grows by splitting one bucket of 448 slots, the slab by adding one chunk
// of 1,024 records, so no single packet pays for the growth of the table.
//
//	hash ── top bits ──► directory ──► bucket: 64 lines × 7 × (hash, record number)
//	                                                         │
//	record number ── top bits ──► directory ──► chunk: 1,024 × record
//
// It knows no protocol, no time and no policy: which records live, how long, and
// what makes two of them the same flow is the caller's.
package flowtable
