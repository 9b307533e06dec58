/* The graph: one node per recorded op, owned by the op's result.
 *
 * An op records itself after its forward call:
 *
 *     struct mt_node *node = mt__record(&sigmoid_grad_rule, y, inputs, 1);      // NULL: nothing to record (or failed)
 *     if (node) mt__save(node, 0, y);
 *
 * and gives a rule: how to turn the gradient of its result into those of its inputs, written with the public ops (they
 * run with recording off, or on where a graph of the gradients is asked for). */
#ifndef MT_AUTOGRAD_NODE_H
#define MT_AUTOGRAD_NODE_H

#include "mt/autograd.h"

#define MT__MAX_INPUTS 4 /* fixed part; cat and stack have more, in a block of their own */
#define MT__MAX_SAVED 6
#define MT__ATTR_BYTES 192

struct mt_node;

/* Fills gx[i] (a tensor of input i's shape and dtype, in the current scope) for each i with mt__needs(node, i); leaves
 * the others NULL.  gout has the result's shape and dtype.  MT_OK, or a status with the error set. */
typedef mt_status (*mt_backward_fn)(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

struct mt_grad_rule {
	const char *name; /* the op's, as in messages and graphs: "sigmoid" */
	mt_backward_fn backward;
};

/* The thread's recording switch. */
extern _Thread_local int mt__recording_off __attribute__((tls_model("initial-exec")));

/* Whether an op over these inputs is to be recorded now (recording is on and one of them requires a gradient). */
int mt__wants_grad(mt_tensor *const *inputs, int n);

/* Makes result's node: edges to inputs (MT_NONE entries have none).  NULL where nothing is to be recorded; on
 * MT_E_MEMORY NULL with the error set (mt_error_peek() != MT_OK: the op then returns NULL). */
struct mt_node *mt__record(const struct mt_grad_rule *rule, mt_tensor *result, mt_tensor *const *inputs, int n);

/* The same for a new float result of two inputs whose rule saves nothing, with recording on: sums and differences.
 * Returns result; NULL on MT_E_MEMORY. */
mt_tensor *mt__record_sum(const struct mt_grad_rule *rule, mt_tensor *result, mt_tensor *a, mt_tensor *b);

/* The rule that node was recorded with. */
const struct mt_grad_rule *mt__rule(const struct mt_node *node);

/* Keeps a tensor for the backward, with its version.  slot < MT__MAX_SAVED.  A node's own result may be saved (it is
 * kept as an alias without its graph: no cycle). */
mt_status mt__save(struct mt_node *node, int slot, mt_tensor *t);

/* The saved tensor, borrowed.  Where recording is on, in its graph: t must have been an input, the result, a marked leaf
 * or a constant for the rule to be differentiated again.  NULL with MT_E_VERSION, "OP: the saved tensor … was modified …", or MT_E_STATE when an
 * earlier backward freed it. */
mt_tensor *mt__saved(struct mt_node *node, int slot);

/* Plain data of the op (axes, options, shapes): MT__ATTR_BYTES zeroed bytes, aligned for any type. */
void *mt__attrs(struct mt_node *node);

/* Whether input i requires a gradient (in a rule: whether this pass has a use for it). */
int mt__needs(const struct mt_node *node, int input);

/* Sums gradient over the dims along which an input of this shape was broadcast; gradient itself where none was. */
mt_tensor *mt__unbroadcast(mt_tensor *gradient, int rank, const int64_t *shape);

/* Releases a node (its edges and saved tensors), without recursion however long the graph. */
void mt__node_release(struct mt_node *node);

/* t, which has a node, is no longer that node's result: it is gone, or was overwritten. */
void mt__leave_node(mt_tensor *t);

/* For in-place ops that are recorded: MT_E_STATE where a's history cannot be replaced, because a is a view, because
 * another tensor that is no saved one shares its storage, or because graphs may hold a itself: as a leaf that was marked
 * once, or as the .grad of one.  (Its new history could reach such a graph, and the references would close a circle.) */
mt_status mt__check_recordable(const char *op, const mt_tensor *a);
/* Afterwards a is the result of the op that made r, and r a constant; the caller has copied the value. */
void mt__take_node(mt_tensor *a, mt_tensor *r);

/* For in-place ops: MT_E_STATE where a may not be written now (see mt/ops.h). */
mt_status mt__check_writable(const char *op, const mt_tensor *a);

#endif
