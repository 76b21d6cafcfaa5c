// SPDX-License-Identifier: MIT OR GPL-2.0-only
//
// Counts the TCP sockets of every network namespace by state, in one walk over the kernel's tables.
//
// In: a packet on the socket that this filter is attached to, whatever it holds; the slice to begin with, in `progress`.
// Out: counts in `namespaces`, and in `progress` where the next slice begins. The packet is dropped.
// Must not: take a lock, follow a pointer without the kernel's checked read, or run for long: a packet is one slice of the
// tables, so that other tasks get the CPU in between.
//
// Types are written down as far as they are used; the loader puts in the offsets of the running kernel (CO-RE). `build`
// makes walk.bpf.o of this file. The kernel allows its checked reads only to programs that the GPL may be applied to.

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __sum16;
typedef __u32 __wsum;

enum bpf_map_type { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2 };
enum { BPF_F_NO_PREALLOC = 1 };

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

// A link of a chain: the address of the next one, or an odd number at the end.
struct link { struct link *next; };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct hlist_nulls_head {};
struct hlist_nulls_node {};
struct inet_listen_hashbucket { struct hlist_nulls_head nulls_head; };
struct inet_hashinfo {
	struct link **ehash;
	unsigned int ehash_mask;
	unsigned int lhash2_mask;
	struct inet_listen_hashbucket *lhash2;
};
struct inet_timewait_death_row { struct inet_hashinfo *hashinfo; };
struct netns_ipv4 { struct inet_timewait_death_row tcp_death_row; };
struct ns_common { unsigned int inum; };
struct net { struct ns_common ns; struct netns_ipv4 ipv4; };
struct nsproxy { struct net *net_ns; };
struct task_struct { struct nsproxy *nsproxy; };
typedef struct { struct net *net; } possible_net_t;
// The beginning of full sockets, of those in TIME_WAIT and of half-open connections.
struct sock_common {
	unsigned char skc_state;
	possible_net_t skc_net;
	struct hlist_nulls_node skc_nulls_node;
};
struct inet_timewait_sock { unsigned char tw_substate; };
#pragma clang attribute pop

enum { FIN_WAIT2 = 5, TIME_WAIT = 6 };

// Heads of chains in a slice: with a million sockets in 262,144 chains a slice takes some 8 ms.
#define SLICE 8192
// No chain is longer, unless it changes so fast that the walk does not find its end.
#define LONGEST (1 << 20)

// `by_state[0]` are the small sockets that the kernel keeps for FIN_WAIT2 without a process.
struct counts { __u32 by_state[16]; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); // the inode of the namespace
	__type(value, struct counts);
} namespaces SEC(".maps");

struct progress {
	__u64 next;    // head to begin with: those of connections, then those of listeners
	__u64 heads;   // how many there are
	__u64 strayed; // chains that ended in another one, because a socket moved
	__u64 lost;    // sockets that found no room in `namespaces`
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[4]);
} progress SEC(".maps");

struct walk {
	void *heads;
	__u64 stride; // bytes from a head to the next
	__u64 from;
	__u64 end;
	__u64 numbered; // whether the end of a chain names its head
	struct link *at;
	struct progress *progress;
};

static const struct counts none;

static struct link *follow(const void *link)
{
	struct link *next = (void *)1;
	bpf_probe_read_kernel(&next, sizeof(next), link);
	return next;
}

static long count(__u32 index, struct walk *walk)
{
	if ((__u64)walk->at & 1)
		return 1;
	struct sock_common *socket = (void *)walk->at - bpf_core_field_offset(struct sock_common, skc_nulls_node);
	__u8 state = BPF_CORE_READ(socket, skc_state);
	struct net *net = BPF_CORE_READ(socket, skc_net.net);
	__u32 inode = BPF_CORE_READ(net, ns.inum);
	if (state == TIME_WAIT && BPF_CORE_READ((struct inet_timewait_sock *)socket, tw_substate) == FIN_WAIT2)
		state = 0;
	struct counts *counts = bpf_map_lookup_elem(&namespaces, &inode);
	if (!counts) {
		bpf_map_update_elem(&namespaces, &inode, &none, 0);
		counts = bpf_map_lookup_elem(&namespaces, &inode);
	}
	if (counts)
		counts->by_state[state & 15]++;
	else
		walk->progress->lost++;
	walk->at = follow(walk->at);
	return 0;
}

static long chain(__u32 index, struct walk *walk)
{
	__u64 head = walk->from + index;
	if (head >= walk->end)
		return 1;
	walk->at = follow(walk->heads + head * walk->stride);
	if ((__u64)walk->at & 1)
		return 0;
	bpf_loop(LONGEST, count, walk, 0);
	if (walk->numbered && (__u64)walk->at >> 1 != head)
		walk->progress->strayed++;
	return 0;
}

struct __sk_buff;

SEC("socket")
int slice(struct __sk_buff *packet)
{
	__u32 zero = 0;
	struct progress *at = bpf_map_lookup_elem(&progress, &zero);
	if (!at)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inet_hashinfo *tables = BPF_CORE_READ(task, nsproxy, net_ns, ipv4.tcp_death_row.hashinfo);
	__u64 connections = (__u64)BPF_CORE_READ(tables, ehash_mask) + 1;
	__u64 listeners = (__u64)BPF_CORE_READ(tables, lhash2_mask) + 1;
	struct walk walk = { .from = at->next, .progress = at };
	at->heads = connections + listeners;
	if (walk.from < connections) {
		walk.heads = BPF_CORE_READ(tables, ehash);
		walk.stride = sizeof(struct link);
		walk.end = connections;
		walk.numbered = 1;
	} else {
		walk.heads = (void *)BPF_CORE_READ(tables, lhash2) +
			     bpf_core_field_offset(struct inet_listen_hashbucket, nulls_head);
		walk.stride = bpf_core_type_size(struct inet_listen_hashbucket);
		walk.from -= connections;
		walk.end = listeners;
	}
	bpf_loop(SLICE, chain, &walk, 0);
	at->next += walk.end - walk.from < SLICE ? walk.end - walk.from : SLICE;
	return 0;
}

// The digest of this file, so that a test sees when the object is older.
const char digest[] SEC("source") = SOURCE;
const char terms[] SEC("license") = "Dual MIT/GPL";
