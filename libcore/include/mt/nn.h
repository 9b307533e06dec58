/* Neural-network modules: a tree of named parameters, buffers and children, with a forward function.
 *
 * A module owns its parameters, buffers and children; mt_module_free frees the whole tree.  Names join with dots from
 * the root: "conv1.weight", "0.bias".  Constructors return NULL on failure; a module given to another
 * (mt_module_add_child, mt_nn_sequential) belongs to it from then on, also when that call fails, so that they nest:
 *
 *     mt_module *net = mt_nn_sequential(MT_MODULES(mt_nn_linear(2, 8, 1), mt_nn_relu(), mt_nn_linear(8, 1, 1)));
 *     mt_tensor *y = mt_forward(net, x);
 *
 * Parameters are made on the thread's current device and drawn from the process's generator in the order in which the
 * constructors run.  (C leaves the order of a call's arguments open: where the same seed must give the same weights
 * under every compiler, construct the layers one after another.)  A module is used by one thread at a time. */
#ifndef MT_NN_H
#define MT_NN_H

#include "mt/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mt_module mt_module;

/* ---- a module of one's own -------------------------------------------------------------------------------------- */

/* A kind of module; lives as long as its modules (a static const object). */
typedef struct mt_module_class {
	/* "Linear": as printed and in messages. */
	const char *name;
	/* Makes the output from x, in the current scope; NULL on failure.  Children are called with mt_forward. */
	mt_tensor *(*forward)(mt_module *module, mt_tensor *x, void *context);
	/* Optional: writes what stands between the parentheses when printed, "2, 8, bias=True", as snprintf does. */
	int (*describe)(void *context, char *text, size_t size);
	/* Optional: frees context, when the module is freed. */
	void (*release)(void *context);
} mt_module_class;

/* A module without parameters or children.  context belongs to it from now on, also on failure (release is called). */
MT_API mt_module *mt_module_new(const mt_module_class *kind, void *context);

/* Frees the tree and its hold on the tensors.  NULL is ignored.  A child is freed by its parent: MT_E_STATE is set and
 * nothing freed where module has one. */
MT_API void mt_module_free(mt_module *module);

MT_API void *mt_module_context(const mt_module *module);          /* NULL for NULL */
MT_API const char *mt_module_class_name(const mt_module *module); /* "" for NULL */

/* Adds tensor t as a parameter (marked by mt_requires_grad_) or as a buffer (state without a gradient); the module
 * takes a reference of its own, and a tensor without a name this one.  name: 1 to 63 bytes without a dot, not used yet
 * in this module, else MT_E_ARG. */
MT_API mt_status mt_module_add_parameter(mt_module *module, const char *name, mt_tensor *t);
MT_API mt_status mt_module_add_buffer(mt_module *module, const char *name, mt_tensor *t);

/* Makes child, which has no parent yet (MT_E_STATE), a part of module.  On any other failure child is freed. */
MT_API mt_status mt_module_add_child(mt_module *module, const char *name, mt_module *child);

/* ---- using modules ---------------------------------------------------------------------------------------------- */

/* module's output for x, in the current scope.  On failure the message begins with the path and class of the innermost
 * module that failed: "features.0 (Conv2d): conv2d: …". */
MT_API mt_tensor *mt_forward(mt_module *module, mt_tensor *x);

/* Sets training (1, the start value) or evaluation (0) for the whole tree. */
MT_API mt_status mt_module_train(mt_module *module, int on);
MT_API int mt_module_training(const mt_module *module);

/* A descendant by its path "features.0", a parameter or buffer by its name "features.0.weight".  Borrowed.  NULL with
 * MT_E_ARG, "there is no …: …" listing the names at the point where the path leaves the tree. */
MT_API mt_module *mt_module_child(mt_module *module, const char *path);
MT_API mt_tensor *mt_module_get(mt_module *module, const char *name);

/* Children of this module alone, in the order they were added; NULL past the end. */
MT_API int mt_module_n_children(const mt_module *module);
MT_API mt_module *mt_module_child_at(const mt_module *module, int i);
MT_API const char *mt_module_name(const mt_module *module); /* its name in its parent; "" at the root */

/* Fills out with the parameters of the tree (borrowed), each tensor once, in the order of mt_module_visit, as far as
 * capacity goes; returns how many there are (0 for NULL). */
MT_API int64_t mt_module_parameters(const mt_module *module, mt_tensor **out, int64_t capacity);
/* Elements of all parameters, each tensor once. */
MT_API int64_t mt_module_parameter_count(const mt_module *module);

/* Marks every gradient unset (mt_zero_grad). */
MT_API mt_status mt_module_zero_grad(mt_module *module);

enum mt_state_kind { MT_STATE_PARAMETER = 1, MT_STATE_BUFFER = 2 };

/* Calls visit for every parameter and buffer of the tree under its full name: a module's parameters, then its buffers,
 * then its children, each in the order they were added.  A tensor under two names comes twice.  Stops at the first
 * status other than MT_OK and returns it. */
typedef mt_status (*mt_state_fn)(const char *name, mt_tensor *t, int32_t kind, void *context);
MT_API mt_status mt_module_visit(const mt_module *module, mt_state_fn visit, void *context);

/* The tree as PyTorch prints it, two spaces a level, with the number of parameters of each module that has some:
 *     Sequential(
 *       (0): Linear(2, 8, bias=True)  24 parameters
 *       (1): ReLU()
 *     )  24 parameters */
MT_API mt_status mt_module_print(const mt_module *module, FILE *out);

/* A table: path, class, output shape, parameters; then the totals.  Output shapes come from one evaluation of x outside
 * the graph; with x = MT_NONE that column is left out. */
MT_API mt_status mt_module_summary(mt_module *module, mt_tensor *x, FILE *out);

/* ---- layers: parameters are f32, initialised as PyTorch's ------------------------------------------------------- */

/* Modules as two arguments (n, array). */
#define MT_MODULES(...)                                                                                                \
	(int)(sizeof((mt_module *[]){__VA_ARGS__}) / sizeof(mt_module *)), (mt_module *[]) {                               \
		__VA_ARGS__                                                                                                    \
	}

/* x through each of modules in turn; they are named "0", "1", …  n ≥ 0 (0: x itself). */
MT_API mt_module *mt_nn_sequential(int n, mt_module *const *modules);

/* y = x @ weightᵀ + bias (mt_linear).   weight: [out, in]   bias: [out], where bias ≠ 0; both uniform in ±1/√in. */
MT_API mt_module *mt_nn_linear(int64_t in, int64_t out, int bias);

/* mt_conv1d, 2d, 3d.   weight: [out, in/groups, kernel…]   bias: [out], where bias ≠ 0.  Both uniform in ±1/√fan_in. */
MT_API mt_module *mt_nn_conv1d(int64_t in, int64_t out, int kernel, int bias, mt_conv_options options);
MT_API mt_module *mt_nn_conv2d(int64_t in, int64_t out, int kernel_h, int kernel_w, int bias, mt_conv_options options);
MT_API mt_module *mt_nn_conv3d(int64_t in, int64_t out, int kernel_d, int kernel_h, int kernel_w, int bias,
                               mt_conv_options options);

/* mt_conv_transpose1d, 2d.   weight: [in, out/groups, kernel…]   bias: [out], where bias ≠ 0
 * Both uniform in ±1/√(out/groups · kernel cells), PyTorch's fan_in of this weight. */
MT_API mt_module *mt_nn_conv_transpose1d(int64_t in, int64_t out, int kernel, int bias,
                                         mt_conv_transpose_options options);
MT_API mt_module *mt_nn_conv_transpose2d(int64_t in, int64_t out, int kernel_h, int kernel_w, int bias,
                                         mt_conv_transpose_options options);

MT_API mt_module *mt_nn_max_pool1d(mt_pool_options options);
MT_API mt_module *mt_nn_max_pool2d(mt_pool_options options);
MT_API mt_module *mt_nn_max_pool3d(mt_pool_options options);
MT_API mt_module *mt_nn_avg_pool1d(mt_pool_options options);
MT_API mt_module *mt_nn_avg_pool2d(mt_pool_options options);
MT_API mt_module *mt_nn_avg_pool3d(mt_pool_options options);
MT_API mt_module *mt_nn_adaptive_avg_pool(int n, const int64_t *size); /* mt_adaptive_avg_pool */

/* A map op as a layer: op is one of the activations of map_ops.def (RELU, SIGMOID, TANH, GELU, GELU_TANH, SILU, SOFTPLUS,
 * LEAKY_RELU (p: slope), ELU (p: alpha), MISH, SELU, HARDSIGMOID, HARDSWISH); another is MT_E_ARG.  p is 0 where the op
 * has none. */
MT_API mt_module *mt_nn_activation(int32_t op, double p);
MT_API mt_module *mt_nn_hardtanh(double low, double high);
/* weight: [n], all init; n is 1 or the channels. */
MT_API mt_module *mt_nn_prelu(int64_t n, double init);
MT_API mt_module *mt_nn_relu(void);
MT_API mt_module *mt_nn_sigmoid(void);
MT_API mt_module *mt_nn_tanh(void);
MT_API mt_module *mt_nn_gelu(void);

MT_API mt_module *mt_nn_log_softmax(int axis);
MT_API mt_module *mt_nn_flatten(int start_dim, int end_dim); /* mt_flatten; (1, -1) keeps the batch */
MT_API mt_module *mt_nn_dropout(double p); /* mt_dropout while training, x itself otherwise; 0 ≤ p ≤ 1 */

/* ---- normalisation ------------------------------------------------------------------------------------------------
 * weight starts at 1, bias at 0; eps 0: 1e-5. */

typedef struct mt_nn_norm_options {
	double eps;
	double momentum; /* batch norm: 0: 0.1; −1: 0 itself */
	int no_affine;   /* without weight and bias */
	int no_bias;
	int no_running; /* batch norm without running statistics: the batch's in evaluation too */
} mt_nn_norm_options;

/* mt_batch_norm over [N, C] or [N, C, L], [N, C, H, W], [N, C, D, H, W] with C = features; buffers running_mean (0) and
 * running_var (1), and num_batches_tracked (0-d i64), as PyTorch names them. */
MT_API mt_module *mt_nn_batch_norm1d(int64_t features, mt_nn_norm_options options);
MT_API mt_module *mt_nn_batch_norm2d(int64_t features, mt_nn_norm_options options);
MT_API mt_module *mt_nn_batch_norm3d(int64_t features, mt_nn_norm_options options);
/* mt_layer_norm over the last dims, which have this shape. */
MT_API mt_module *mt_nn_layer_norm(int n, const int64_t *shape, mt_nn_norm_options options);
MT_API mt_module *mt_nn_group_norm(int64_t groups, int64_t channels, mt_nn_norm_options options);
MT_API mt_module *mt_nn_rms_norm(int n, const int64_t *shape, mt_nn_norm_options options);

/* ---- tables, blocks ----------------------------------------------------------------------------------------------- */

/* mt_embedding.   weight: [n, dim], normal(0, 1), the row padding_idx (−1: none) 0 */
MT_API mt_module *mt_nn_embedding(int64_t n, int64_t dim, int64_t padding_idx);
/* x + module(x). */
MT_API mt_module *mt_nn_residual(mt_module *module);

/* ---- recurrent layers: names, formulas, shapes and initial values as torch.nn.LSTM and GRU ------------------------ */

typedef struct mt_nn_rnn_options {
	int layers; /* 0: 1 */
	int no_bias;
	int bidirectional; /* D = 2, else 1 */
	int batch_first;   /* [N, L, …] instead of [L, N, …] */
	double dropout;    /* between layers, while training */
} mt_nn_rnn_options;

/* x: [L, N, in] -> output [L, N, D · hidden] (mt_forward: from zero states).  Parameters weight_ih_l0 [G·hidden, in],
 * weight_hh_l0, bias_ih_l0, bias_hh_l0, …_reverse; G = 4 (i, f, g, o) for LSTM, 3 (r, z, n) for GRU. */
MT_API mt_module *mt_nn_lstm(int64_t in, int64_t hidden, mt_nn_rnn_options options);
MT_API mt_module *mt_nn_gru(int64_t in, int64_t hidden, mt_nn_rnn_options options);

/* The same with states: h0, c0 [layers · D, N, hidden] or MT_NONE (zeros), c0 MT_NONE for GRU.  The last states go to *hn
 * and *cn, which may be NULL. */
MT_API mt_tensor *mt_rnn_forward(mt_module *rnn, mt_tensor *x, mt_tensor *h0, mt_tensor *c0, mt_tensor **hn,
                                 mt_tensor **cn);

/* ---- attention: batch first --------------------------------------------------------------------------------------- */

typedef struct mt_nn_attention_options {
	double dropout; /* of the attention weights, while training */
	int no_bias;
	int causal; /* mt_forward forbids positions after one's own */
} mt_nn_attention_options;

/* Vaswani et al. 2017; names and initial values as torch.nn.MultiheadAttention(batch_first=True): in_proj_weight
 * [3E, E], in_proj_bias, out_proj.weight, out_proj.bias.  mt_forward: self-attention of x [N, L, E].  E divisible by heads. */
MT_API mt_module *mt_nn_multihead_attention(int64_t embed, int64_t heads, mt_nn_attention_options options);

typedef struct mt_attention_masks {
	mt_tensor *key_padding; /* bool [N, S], 1 where a key is padding and must not be seen; NULL or MT_NONE */
	mt_tensor *mask; /* [L, S] or [N · heads, L, S]: float (added) or bool (1 forbids, as PyTorch's attn_mask) */
	int causal;
} mt_attention_masks;

/* q: [N, L, E]  k, v: [N, S, E]  ->  [N, L, E]; *weights (may be NULL): [N, L, S], the mean over heads. */
MT_API mt_tensor *mt_attention_forward(mt_module *attention, mt_tensor *q, mt_tensor *k, mt_tensor *v,
                                       mt_attention_masks masks, mt_tensor **weights);

typedef struct mt_nn_transformer_options {
	double dropout;     /* as PyTorch's 0.1 where it is asked for; 0: none */
	int32_t activation; /* enum mt_map_id; 0: RELU */
	int norm_first;
	int causal;
	double eps; /* 0: 1e-5 */
} mt_nn_transformer_options;

/* torch.nn.TransformerEncoderLayer(batch_first=True): children self_attn, linear1, linear2, norm1, norm2.  x: [N, L, E] */
MT_API mt_module *mt_nn_transformer_encoder_layer(int64_t embed, int64_t heads, int64_t feedforward,
                                                  mt_nn_transformer_options options);
MT_API mt_tensor *mt_transformer_forward(mt_module *layer, mt_tensor *x, mt_attention_masks masks);

/* ---- initialisation: t is overwritten in place, outside the graph; returns t ---------------------------------------
 * fan_in = t.shape[1] · receptive field, fan_out = t.shape[0] · receptive field, with the product of the further
 * extents as receptive field: t has rank ≥ 2, else MT_E_SHAPE. */

MT_API mt_tensor *mt_init_uniform(mt_tensor *t, double low, double high);
MT_API mt_tensor *mt_init_normal(mt_tensor *t, double mean, double std);
MT_API mt_tensor *mt_init_constant(mt_tensor *t, double value);

/* Glorot & Bengio 2010: variance gain² · 2 / (fan_in + fan_out). */
MT_API mt_tensor *mt_init_xavier_uniform(mt_tensor *t, double gain);
MT_API mt_tensor *mt_init_xavier_normal(mt_tensor *t, double gain);

enum mt_fan { MT_FAN_IN = 0, MT_FAN_OUT = 1 };

/* He et al. 2015: variance gain² / fan.  gain: what mt_init_gain says of the layer's nonlinearity. */
MT_API mt_tensor *mt_init_kaiming_uniform(mt_tensor *t, int32_t fan, double gain);
MT_API mt_tensor *mt_init_kaiming_normal(mt_tensor *t, int32_t fan, double gain);

/* The gain that torch.nn.init.calculate_gain gives for a map op: 1 for 0 (linear) and SIGMOID, 5/3 for TANH, √2 for
 * RELU, √(2/(1 + p²)) for LEAKY_RELU; MT_E_ARG otherwise. */
MT_API mt_status mt_init_gain(int32_t op, double p, double *out);

/* The two fans of t. */
MT_API mt_status mt_init_fans(mt_tensor *t, int64_t *fan_in, int64_t *fan_out);

#ifdef __cplusplus
}
#endif

#endif
