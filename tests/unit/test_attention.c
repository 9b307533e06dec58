/* Attention: the op against plain loops in double, MultiheadAttention and TransformerEncoderLayer against numbers from
 * PyTorch, masks, dropout, gradients, saving, printing, errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"

static const mt_attention_masks no_masks = {0};

/* ---- the op against plain loops ---------------------------------------------------------------------------------- */

enum { BATCH = 2, L = 4, S = 5, E = 3, V = 2 };

/* added: [L, S] or NULL;  allowed: [L, S] or NULL. */
static void plain_attention(const double *q, const double *k, const double *v, const double *added,
                            const double *allowed, int causal, double scale, double *y) {
	for (int b = 0; b < BATCH; b++)
		for (int l = 0; l < L; l++) {
			double score[S], most = -INFINITY, sum = 0;
			for (int s = 0; s < S; s++) {
				score[s] = added != NULL ? added[l * S + s] : 0;
				for (int e = 0; e < E; e++)
					score[s] += q[(b * L + l) * E + e] * k[(b * S + s) * E + e] * scale;
				if ((causal && s > l) || (allowed != NULL && allowed[l * S + s] == 0))
					score[s] = -INFINITY;
				most = fmax(most, score[s]);
			}
			for (int s = 0; s < S; s++)
				sum += exp(score[s] - most);
			for (int j = 0; j < V; j++) {
				y[(b * L + l) * V + j] = 0;
				for (int s = 0; s < S; s++)
					y[(b * L + l) * V + j] += exp(score[s] - most) / sum * v[(b * S + s) * V + j];
			}
		}
}

enum mask { NO_MASK, ADDED, ALLOWED, N_MASKS };

static void check_values_of(mt_dtype dtype, enum layout layout, enum mask mask, int causal, double scale) {
	mt_tensor *q = random_in(layout, MT_SHAPE(BATCH, L, E), dtype, -2, 2, 1);
	mt_tensor *k = random_in(layout, MT_SHAPE(BATCH, S, E), dtype, -2, 2, 2);
	mt_tensor *v = random_in(layout, MT_SHAPE(BATCH, S, V), dtype, -2, 2, 3), *m = MT_NONE;
	double want[BATCH * L * V], *ms = NULL;
	if (mask == ADDED)
		m = random_in(layout, MT_SHAPE(L, S), dtype, -3, 3, 4);
	if (mask == ALLOWED) { /* never a whole row forbidden: the last column stays */
		m = mt_zip_scalar(MT_ZIP_GT, random_in(layout, MT_SHAPE(L, S), MT_F64, -3, 3, 5), mt_f(0));
		m = mt_logical_or(m,
		                  mt_ge(mt_arange(mt_i(0), mt_i(S), mt_i(1), MT_I64), mt_scalar_tensor(mt_i(S - 1), MT_I64)));
		m = causal ? mt_logical_or(m, mt_eye(L, S, MT_BOOL)) : m;
	}
	if (mask != NO_MASK)
		ms = elements(m);
	double *qs = elements(q), *ks = elements(k), *vs = elements(v);
	plain_attention(qs, ks, vs, mask == ADDED ? ms : NULL, mask == ALLOWED ? ms : NULL, causal,
	                scale != 0 ? scale : 1 / sqrt(E), want);
	mt_tensor *y = mt_scaled_dot_product_attention(q, k, v, m, (mt_attention_options){causal, 0, 0.9, scale});
	CHECK_SHAPE(y, BATCH, L, V);
	MT_CHECK(mt_tensor_dtype(y) == dtype);
	CHECK_CLOSE(y, want, BATCH * L * V, (dtype == MT_F32 || dtype == MT_F64 ? 10 : 0.6) * rtol_of(dtype), 0.3);
	free(ms);
	free(qs);
	free(ks);
	free(vs);
}

static void values_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int mask = 0; mask < N_MASKS; mask++) {
				mt_scope *scope = mt_scope_begin();
				row("%s %s mask %d", mt_dtype_name(dtypes[d]), layout_name(l), mask);
				check_values_of(dtypes[d], l, mask, 0, 0);
				check_values_of(dtypes[d], l, mask, 1, 0.8);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- shapes, broadcasts, rows without anything allowed ----------------------------------------------------------- */

static mt_tensor *op(mt_tensor *q, mt_tensor *k, mt_tensor *v, mt_tensor *mask) {
	return mt_scaled_dot_product_attention(q, k, v, mask, (mt_attention_options){0});
}

static mt_tensor *zeros3(int64_t a, int64_t b, int64_t c) {
	return mt_zeros(MT_SHAPE(a, b, c), MT_F32);
}

static void shapes_on_device(void) {
	row("shapes");
	mt_tensor *q = random_like(MT_SHAPE(4, 3), MT_F32, -1, 1, 1);
	CHECK_SHAPE(op(q, q, q, MT_NONE), 4, 3);
	mt_tensor *many = random_like(MT_SHAPE(2, 5, 4, 3), MT_F32, -1, 1, 2),
			  *shared = random_like(MT_SHAPE(5, 6, 3), MT_F32, -1, 1, 3);
	mt_tensor *y = op(many, shared, shared, mt_zeros(MT_SHAPE(2, 1, 1, 6), MT_F32));
	CHECK_SHAPE(y, 2, 5, 4, 3);
	double *one = elements(op(mt_index(many, 0, 1), shared, shared, MT_NONE));
	CHECK_CLOSE(mt_index(y, 0, 1), one, 60, 1e-6, 1);
	free(one);
	row("empty");
	CHECK_SHAPE(op(zeros3(0, 2, 3), zeros3(0, 4, 3), zeros3(0, 4, 5), MT_NONE), 0, 2, 5);
	CHECK_SHAPE(op(zeros3(2, 0, 3), zeros3(2, 4, 3), zeros3(2, 4, 5), MT_NONE), 2, 0, 5);
	CHECK_VALUES(op(zeros3(1, 1, 3), zeros3(1, 0, 3), zeros3(1, 0, 2), MT_NONE), 0, 0); /* no keys: an empty sum */
	CHECK_SHAPE(op(zeros3(2, 4, 3), zeros3(2, 4, 3), zeros3(2, 4, 0), MT_NONE), 2, 4, 0);
	row("a row without anything allowed is NaN, the others are not");
	mt_tensor *mask = mt_from_data(MT_SHAPE(2, 2), MT_BOOL, (const unsigned char[]){0, 0, 1, 0});
	mt_tensor *v = mt_from_data(MT_SHAPE(2, 1), MT_F32, (const float[]){3, 4});
	mt_tensor *two = random_like(MT_SHAPE(2, 3), MT_F32, -1, 1, 4);
	CHECK_VALUES(op(two, two, v, mask), NAN, 3);
	row("what is forbidden may be anything, in k");
	mt_tensor *k = mt_clone(two);
	mt_set(k, (const int64_t[]){1, 0}, mt_f(NAN));
	mt_tensor *first = mt_from_data(MT_SHAPE(1, 2), MT_BOOL, (const unsigned char[]){1, 0});
	CHECK_VALUES(op(two, k, v, first), 3, 3);
	row("large scores do not overflow");
	mt_tensor *big = mt_full(MT_SHAPE(2, 3), MT_F32, mt_f(1e15));
	CHECK_VALUES(op(big, big, v, MT_NONE), 3.5, 3.5);
}

static void shapes(void) {
	each_backend(shapes_on_device);
}

static void dropout_on_device(void) {
	row("dropout");
	mt_tensor *q = random_like(MT_SHAPE(1, 40, 4), MT_F32, -1, 1, 1), *ones = mt_ones(MT_SHAPE(1, 40, 1), MT_F32);
	const mt_attention_options train = {.training = 1, .p = 0.5}, eval = {.p = 0.5};
	double *y = elements(mt_scaled_dot_product_attention(q, q, ones, MT_NONE, train)), mean = 0;
	int other = 0;
	for (int i = 0; i < 40; i++) {
		mean += y[i] / 40; /* weights add up to 1 on average only */
		other += fabs(y[i] - 1) > 0.01;
	}
	MT_CHECK_MSG(other > 30 && fabs(mean - 1) < 0.15, "%d of 40 differ from 1, mean %g", other, mean);
	free(y);
	y = elements(mt_scaled_dot_product_attention(q, q, ones, MT_NONE, eval));
	for (int i = 0; i < 40; i++)
		MT_CHECK_NEAR(y[i], 1, 1e-6);
	free(y);
}

static void dropout(void) {
	each_backend(dropout_on_device);
}

/* ---- layers: numbers from PyTorch 2.15 ------------------------------------------------------------------------------
 *     m = torch.nn.MultiheadAttention(4, 2, batch_first=True)                       # f64, parameters as fill_parameters
 *     q = data(2, 3, 4); k = data(2, 2, 4, phase=1); v = data(2, 2, 4, phase=2)     # data: wave
 *     cross:  m(q, k, v, key_padding_mask=[[0, 0], [0, 1]])
 *     causal: m(q, q, q, attn_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1))
 *     added:  m(q, q, q, attn_mask=data(4, 3, 3, phase=4))
 *     three:  MultiheadAttention(6, 3, batch_first=True) of data(1, 2, 6)
 *     m = torch.nn.TransformerEncoderLayer(4, 2, 5, dropout=0, activation=A, batch_first=True, norm_first=F);  m(q)
 *     padded: relu, norm_first=False, m(q, src_key_padding_mask=[[0, 0, 0], [0, 0, 1]]) */

static const double cross_y[] = {-0.590696393459626, -0.463948927671283, -0.241951041041108, -0.399266565063492,
                                 -0.559766337527843, -0.486713757830063, -0.229982033858632, -0.399056666830618,
                                 -0.375564284531844, -0.691396797991536, -0.02847022046239,  -0.57411149165033,
                                 -0.430352509828551, -0.683718524254094, 0.011848722727942,  -0.657768583439934,
                                 -0.430352509828551, -0.683718524254094, 0.011848722727942,  -0.657768583439934,
                                 -0.430352509828551, -0.683718524254094, 0.011848722727942,  -0.657768583439934};
static const double cross_w[] = {0.421545612196767,
                                 0.578454387803233,
                                 0.412477124029609,
                                 0.587522875970391,
                                 0.624996734398063,
                                 0.375003265601937,
                                 1,
                                 0,
                                 1,
                                 0,
                                 1,
                                 0};
static const double causal_y[] = {-0.511259476208187, -0.48935480324997,  -0.273511991183574, -0.314385824850883,
                                  -0.628935132458619, -0.401968844368253, -0.320510340371354, -0.313205994574053,
                                  -0.418912819536074, -0.617742886108533, -0.123918407965772, -0.467898574249297,
                                  -0.745120321193222, -0.233121692683759, -0.52250826858755,  -0.101399224790379,
                                  -0.405188764246429, -0.632303689962134, -0.110203433877503, -0.479182880371014,
                                  -0.653011358223182, -0.414017891072024, -0.273728352630684, -0.389315015850575};
static const double causal_w[] = {
	1, 0, 0, 0.206892717861386, 0.793107282138614, 0, 0.525467697941582, 0.106111254182628, 0.36842104787579,
	1, 0, 0, 0.448751250037928, 0.551248749962072, 0, 0.465015934304667, 0.341371923615044, 0.193612142080289};
static const double added_y[] = {-0.379832158591483, -0.678490019458908, -0.0485244565617594, -0.549227171627218,
                                 -0.593672720487007, -0.451582659077906, -0.262278263092504,  -0.373327308175752,
                                 -0.35248118431329,  -0.681132070132433, -0.070896632500405,  -0.50442599299617,
                                 -0.689905095861505, -0.418778333256566, -0.227863825036889,  -0.47098373875221,
                                 -0.615793386631539, -0.380874216181732, -0.373403746089311,  -0.234625925677553,
                                 -0.666327503046538, -0.396517405852205, -0.293390904100639,  -0.369762510531317};
static const double added_w[] = {
	0.348179386897014, 0.388778049029508, 0.263042564073478, 0.267179067004305, 0.538158547259363, 0.194662385736332,
	0.353552116004702, 0.107239869618802, 0.539208014376496, 0.460630788058794, 0.383209850239349, 0.156159361701857,
	0.256829286713499, 0.277941746709563, 0.465228966576938, 0.560792020944672, 0.262237933353527, 0.176970045701801};
static const double three_y[] = {0.0288932682184119, -1.02836951351574, -0.275561392505491, 0.328664389464572,
                                 -0.275333861713799, 0.561469574524793, 0.0282641699940611, -0.996628441564262,
                                 -0.30605510229147,  0.326823059923894, -0.243034688461876, 0.531640865651245};
static const double post_relu[] = {-0.915334321240239, 0.374779292179084,  0.463247001440103, 0.662072797956955,
                                   -0.772037602183771, -0.166821277884642, 0.503941755774708, 0.498414014129315,
                                   -1.04917301536924,  0.252835745920531,  0.465183503823742, 0.518538302551136,
                                   -0.761763813713387, 0.124231719174894,  0.500167020330273, 0.686337827438417,
                                   -0.912409354591642, -0.173837486567737, 0.431147136592852, 0.198735655199033,
                                   -0.852867846247071, 0.433183156975757,  0.454778833382294, 0.706824446317972};
static const double post_gelu[] = {-0.900483355374328, 0.340015141097565,  0.469984806565259, 0.667115711494179,
                                   -0.719572937894361, -0.237110014777766, 0.502108595514924, 0.472549201650554,
                                   -1.07695292033951,  0.232559780924326,  0.460347053575838, 0.476016997034248,
                                   -0.676447194275114, 0.0378812689470489, 0.507331735261485, 0.694099141093858,
                                   -0.836442143254619, -0.247497620185854, 0.432256771285055, 0.191614168021268,
                                   -0.794617552251742, 0.374470507301543,  0.467335041613432, 0.735827857525906};
static const double pre_relu[] = {1.52986467130452,     -0.325126972504767, -0.36254480351692,  -1.8462098279623,
                                  -0.203928357640681,   -0.51541310938725,  0.871283866823116,  0.207350757072112,
                                  0.954185200433712,    -1.25621803388675,  -0.790358367467402, -1.63259022689217,
                                  0.617441060100109,    0.226297510333438,  1.01800147025114,   -0.466326656689929,
                                  -0.00135762811603113, -1.62385106347879,  -0.625512110839306, -0.67117700010082,
                                  1.38085362724921,     0.301044000377548,  0.411765001683442,  -1.36870641085491};
static const double pre_gelu[] = {1.3666949721225,    -0.205338060944731, -0.423729358922262, -1.85140536738584,
                                  -0.321343886376779, -0.440557817762123, 0.848501918716307,  0.17516408075525,
                                  0.775744603114934,  -1.11728612593636,  -0.87212519870504,  -1.61837994302043,
                                  0.481274323558317,  0.319006302956689,  0.980532669147537,  -0.4888596305967,
                                  -0.104036435402387, -1.57319952225567,  -0.617699252552899, -0.73646134810226,
                                  1.2493845883602,    0.383103713999938,  0.389543305414745,  -1.40914681232977};
static const double padded[] = {-0.915334321240239, 0.374779292179084,  0.463247001440103, 0.662072797956955,
                                -0.772037602183771, -0.166821277884642, 0.503941755774708, 0.498414014129315,
                                -1.04917301536924,  0.252835745920531,  0.465183503823742, 0.518538302551136,
                                -0.748210775734688, 0.122044449020625,  0.500569721233751, 0.693008608712251,
                                -0.910807337836529, -0.183024497618474, 0.461747704516869, 0.28740893318622,
                                -0.841354350499425, 0.41129354811858,   0.459575962584573, 0.712803207359924};

static mt_tensor *booleans(int rank, const int64_t *shape, const unsigned char *values) {
	return mt_from_data(rank, shape, MT_BOOL, values);
}

static void multihead_on_device(void) {
	mt_tensor *w = NULL;
	mt_module *m = mt_nn_multihead_attention(4, 2, (mt_nn_attention_options){0});
	MT_REQUIRE(m != NULL);
	module_to_f64(m);
	fill_parameters(m);
	mt_tensor *q = wave(MT_SHAPE(2, 3, 4), 0), *k = wave(MT_SHAPE(2, 2, 4), 1), *v = wave(MT_SHAPE(2, 2, 4), 2);
	row("cross, key padding");
	mt_tensor *padding = booleans(MT_SHAPE(2, 2), (const unsigned char[]){0, 0, 0, 1});
	CHECK_CLOSE(mt_attention_forward(m, q, k, v, (mt_attention_masks){.key_padding = padding}, &w), cross_y, 24, 1e-13,
	            1);
	CHECK_SHAPE(w, 2, 3, 2);
	CHECK_CLOSE(w, cross_w, 12, 1e-13, 1);
	row("k and v one tensor, three tensors alike");
	double *shared = elements(mt_attention_forward(m, q, k, k, no_masks, NULL));
	CHECK_CLOSE(mt_attention_forward(m, q, k, mt_clone(k), no_masks, NULL), shared, 24, 1e-13, 1);
	free(shared);
	double *self = elements(mt_forward(m, q));
	CHECK_CLOSE(mt_attention_forward(m, q, mt_clone(q), mt_clone(q), no_masks, NULL), self, 24, 1e-13, 1);
	free(self);
	row("causal, as an option of the call, of the module, and as a mask");
	CHECK_CLOSE(mt_attention_forward(m, q, q, q, (mt_attention_masks){.causal = 1}, &w), causal_y, 24, 1e-13, 1);
	CHECK_CLOSE(w, causal_w, 18, 1e-13, 1);
	mt_tensor *upper = booleans(MT_SHAPE(3, 3), (const unsigned char[]){0, 1, 1, 0, 0, 1, 0, 0, 0});
	CHECK_CLOSE(mt_attention_forward(m, q, q, q, (mt_attention_masks){.mask = upper}, NULL), causal_y, 24, 1e-13, 1);
	mt_module *masked = mt_nn_multihead_attention(4, 2, (mt_nn_attention_options){.causal = 1});
	module_to_f64(masked);
	fill_parameters(masked);
	CHECK_CLOSE(mt_forward(masked, q), causal_y, 24, 1e-13, 1);
	row("added, one mask for each head");
	mt_tensor *added = wave(MT_SHAPE(4, 3, 3), 4);
	CHECK_CLOSE(mt_attention_forward(m, q, q, q, (mt_attention_masks){.mask = added}, &w), added_y, 24, 1e-13, 1);
	CHECK_CLOSE(w, added_w, 18, 1e-13, 1);
	mt_module_free(m);
	mt_module_free(masked);
	row("three heads of two");
	m = mt_nn_multihead_attention(6, 3, (mt_nn_attention_options){0});
	module_to_f64(m);
	fill_parameters(m);
	CHECK_CLOSE(mt_forward(m, wave(MT_SHAPE(1, 2, 6), 0)), three_y, 12, 1e-13, 1);
	mt_module_free(m);
}

static void multihead(void) {
	each_backend(multihead_on_device);
}

static void encoder_on_device(void) {
	static const struct {
		const char *name;
		mt_nn_transformer_options options;
		const double *y;
	} rows[] = {{"post, relu", {.dropout = 0}, post_relu},
	            {"post, gelu", {.activation = MT_MAP_GELU}, post_gelu},
	            {"pre, relu", {.norm_first = 1}, pre_relu},
	            {"pre, gelu", {.norm_first = 1, .activation = MT_MAP_GELU}, pre_gelu}};
	mt_tensor *q = wave(MT_SHAPE(2, 3, 4), 0);
	mt_tensor *padding = booleans(MT_SHAPE(2, 3), (const unsigned char[]){0, 0, 0, 0, 0, 1});
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		row("%s", rows[i].name);
		mt_module *m = mt_nn_transformer_encoder_layer(4, 2, 5, rows[i].options);
		MT_REQUIRE(m != NULL);
		module_to_f64(m);
		fill_parameters(m);
		CHECK_CLOSE(mt_forward(m, q), rows[i].y, 24, 1e-12, 1);
		CHECK_CLOSE(mt_transformer_forward(m, q, no_masks), rows[i].y, 24, 1e-12, 1);
		if (i == 0)
			CHECK_CLOSE(mt_transformer_forward(m, q, (mt_attention_masks){.key_padding = padding}), padded, 24, 1e-12,
			            1);
		mt_module_free(m);
	}
}

static void encoder(void) {
	each_backend(encoder_on_device);
}

/* ---- what is masked does not count ------------------------------------------------------------------------------- */

/* Largest difference of a and b over positions 0 … n − 1 of dim 1. */
static double apart(mt_tensor *a, mt_tensor *b, int64_t n) {
	double most = NAN;
	mt_tensor *d = mt_abs(mt_sub(mt_narrow(a, 1, 0, n), mt_narrow(b, 1, 0, n)));
	MT_CHECK_INT(mt_item(mt_max(d, MT_ALL_AXES, 0), &most), MT_OK);
	return most;
}

/* x with other values at the last position. */
static mt_tensor *changed_at_end(mt_tensor *x) {
	mt_tensor *y = mt_clone(x);
	mt_add_scalar_(mt_index(y, 1, -1), mt_f(3));
	return y;
}

static void masked_on_device(void) {
	static const mt_nn_transformer_options plain = {0}, causal = {.causal = 1},
										   causal_first = {.causal = 1, .norm_first = 1};
	mt_tensor *x = random_like(MT_SHAPE(2, 6, 8), MT_F32, -1, 1, 1), *other = changed_at_end(x);
	mt_tensor *last = mt_zeros(MT_SHAPE(2, 6), MT_BOOL);
	mt_fill_(mt_index(last, 1, 5), mt_i(1));
	const mt_attention_masks pad = {.key_padding = last}, none = {.key_padding = MT_NONE, .mask = MT_NONE},
							 forward_only = {.causal = 1},
							 no_padding = {.key_padding = mt_zeros(MT_SHAPE(2, 6), MT_BOOL)};
	mt_seed(3);
	mt_module *m = mt_nn_transformer_encoder_layer(8, 2, 16, plain);
	row("unmasked: it counts");
	MT_CHECK(apart(mt_forward(m, x), mt_forward(m, other), 5) > 1e-3);
	MT_CHECK(apart(mt_transformer_forward(m, x, none), mt_transformer_forward(m, other, none), 5) > 1e-3);
	row("key padding");
	MT_CHECK(apart(mt_transformer_forward(m, x, pad), mt_transformer_forward(m, other, pad), 5) == 0);
	row("causal");
	MT_CHECK(apart(mt_transformer_forward(m, x, forward_only), mt_transformer_forward(m, other, forward_only), 5) == 0);
	mt_module_free(m);
	for (int i = 0; i < 2; i++) {
		m = mt_nn_transformer_encoder_layer(8, 2, 16, i ? causal_first : causal);
		MT_CHECK(apart(mt_forward(m, x), mt_forward(m, other), 5) == 0);
		MT_CHECK(apart(mt_forward(m, x), mt_forward(m, other), 6) > 1e-3);
		MT_CHECK(apart(mt_transformer_forward(m, x, pad), mt_transformer_forward(m, other, pad), 5) == 0);
		mt_tensor *y = mt_transformer_forward(m, x, no_padding);
		MT_CHECK(apart(y, mt_transformer_forward(m, other, no_padding), 5) == 0); /* causal still */
		mt_module_free(m);
	}
	row("a sequence that is all padding is NaN, the other is not");
	mt_module *a = mt_nn_multihead_attention(8, 2, (mt_nn_attention_options){0});
	mt_tensor *one = mt_zeros(MT_SHAPE(2, 6), MT_BOOL);
	mt_fill_(mt_index(one, 0, 0), mt_i(1));
	double *y = elements(mt_attention_forward(a, x, x, x, (mt_attention_masks){.key_padding = one}, NULL));
	MT_CHECK(isnan(y[0]) && isnan(y[47]) && !isnan(y[48]) && !isnan(y[95]));
	free(y);
	row("no sequences");
	mt_tensor *w = NULL;
	CHECK_SHAPE(mt_attention_forward(a, zeros3(0, 6, 8), zeros3(0, 3, 8), zeros3(0, 3, 8), no_masks, &w), 0, 6, 8);
	CHECK_SHAPE(w, 0, 6, 3);
	mt_module_free(a);
}

static void masked(void) {
	each_backend(masked_on_device);
}

static void modes_on_device(void) {
	row("train and eval");
	mt_tensor *x = random_like(MT_SHAPE(2, 6, 8), MT_F32, -1, 1, 1);
	mt_module *m = mt_nn_transformer_encoder_layer(8, 2, 16, (mt_nn_transformer_options){.dropout = 0.5});
	mt_module *a = mt_nn_multihead_attention(8, 2, (mt_nn_attention_options){.dropout = 0.5});
	MT_CHECK(apart(mt_forward(m, x), mt_forward(m, x), 6) > 1e-2);
	MT_CHECK(apart(mt_forward(a, x), mt_forward(a, x), 6) > 1e-4);
	mt_module_train(m, 0);
	mt_module_train(a, 0);
	MT_CHECK(apart(mt_forward(m, x), mt_forward(m, x), 6) == 0);
	MT_CHECK(apart(mt_forward(a, x), mt_forward(a, x), 6) == 0);
	mt_module_free(m);
	mt_module_free(a);
}

static void modes(void) {
	each_backend(modes_on_device);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

static mt_tensor *forward(mt_tensor *const *in, int n, void *context) {
	(void)n;
	return mt_forward(context, in[0]);
}

/* Output and weights; cross-attention with a mask. */
static mt_tensor *cross(mt_tensor *const *in, int n, void *context) {
	mt_tensor *w = NULL;
	(void)n;
	mt_tensor *padding = booleans(MT_SHAPE(2, 3), (const unsigned char[]){0, 0, 0, 0, 1, 0});
	mt_tensor *y = mt_attention_forward(context, in[0], in[1], in[2],
	                                    (mt_attention_masks){.key_padding = padding, .mask = in[3]}, &w);
	return mt_cat((mt_tensor *[]){mt_reshape(y, MT_SHAPE(-1)), mt_reshape(w, MT_SHAPE(-1))}, 2, 0);
}

static mt_tensor *leaf(int rank, const int64_t *shape, uint64_t seed) {
	return mt_requires_grad_(random_like(rank, shape, MT_F64, -1, 1, seed), 1);
}

static void gradients_on_device(void) {
	mt_tensor *in[4] = {leaf(MT_SHAPE(2, 2, 4), 1), leaf(MT_SHAPE(2, 3, 4), 2), leaf(MT_SHAPE(2, 3, 4), 3),
	                    leaf(MT_SHAPE(2, 3), 4)};
	mt_seed(2);
	row("multihead, self");
	mt_module *m = mt_nn_multihead_attention(4, 2, (mt_nn_attention_options){.causal = 1});
	module_to_f64(m);
	check_module_gradients(m, forward, in, 1, 1);
	row("multihead, cross");
	check_module_gradients(m, cross, in, 4, 1);
	mt_module_free(m);
	for (int first = 0; first < 2; first++) {
		row("encoder layer, norm_first %d", first);
		m = mt_nn_transformer_encoder_layer(
			4, 2, 3, (mt_nn_transformer_options){.norm_first = first, .activation = MT_MAP_TANH, .eps = 0.1});
		module_to_f64(m);
		check_module_gradients(m, forward, in, 1, 1);
		mt_module_free(m);
	}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- the modules ------------------------------------------------------------------------------------------------- */

static void modules(void) {
	mt_module *a = mt_nn_multihead_attention(8, 2, (mt_nn_attention_options){0});
	CHECK_PRINTED(a, "MultiheadAttention(\n"
	                 "  (out_proj): Linear(8, 8, bias=True)  72 parameters\n"
	                 ")  288 parameters\n");
	double largest, bound = sqrt(6.0 / (8 + 24));
	MT_CHECK_INT(mt_item(mt_max(mt_abs(mt_module_get(a, "in_proj_weight")), MT_ALL_AXES, 0), &largest), MT_OK);
	MT_CHECK_MSG(largest <= bound && largest > 0.95 * bound, "weights up to %g", largest);
	MT_CHECK_INT(mt_item(mt_max(mt_abs(mt_module_get(a, "in_proj_bias")), MT_ALL_AXES, 0), &largest), MT_OK);
	MT_CHECK(largest == 0);
	MT_CHECK_INT(mt_item(mt_max(mt_abs(mt_module_get(a, "out_proj.bias")), MT_ALL_AXES, 0), &largest), MT_OK);
	MT_CHECK(largest == 0);
	check_saved(a, mt_nn_multihead_attention(8, 2, (mt_nn_attention_options){0}));
	a = mt_nn_multihead_attention(4, 1, (mt_nn_attention_options){.no_bias = 1});
	MT_CHECK_INT(mt_module_parameters(a, NULL, 0), 2);
	CHECK_SHAPE(mt_forward(a, zeros3(2, 3, 4)), 2, 3, 4);
	mt_module_free(a);
	mt_module *t = mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){.eps = 1e-6});
	CHECK_PRINTED(t, "TransformerEncoderLayer(\n"
	                 "  (self_attn): MultiheadAttention(\n"
	                 "    (out_proj): Linear(4, 4, bias=True)  20 parameters\n"
	                 "  )  80 parameters\n"
	                 "  (linear1): Linear(4, 8, bias=True)  40 parameters\n"
	                 "  (linear2): Linear(8, 4, bias=True)  36 parameters\n"
	                 "  (norm1): LayerNorm((4,), eps=1e-06, elementwise_affine=True)  8 parameters\n"
	                 "  (norm2): LayerNorm((4,), eps=1e-06, elementwise_affine=True)  8 parameters\n"
	                 ")  172 parameters\n");
	check_saved(t, mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){0}));
}

static void op_errors(void) {
	mt_tensor *q = zeros3(2, 3, 4), *k = zeros3(2, 5, 4);
	MT_CHECK(op(q, NULL, k, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_NULL, "scaled_dot_product_attention: k");
	MT_CHECK(op(q, k, q, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "q is f32[2, 3, 4], k is f32[2, 5, 4], v is f32[2, 3, 4]");
	MT_CHECK(op(mt_zeros(MT_SHAPE(4), MT_F32), k, k, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "q is f32[4]");
	MT_CHECK(op(zeros3(3, 3, 4), k, k, MT_NONE) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "do not broadcast");
	MT_CHECK(op(q, k, k, mt_zeros(MT_SHAPE(3, 4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the mask is f32[3, 4], which does not broadcast to the scores [2, 3, 5]");
	MT_CHECK(op(q, k, k, mt_zeros(MT_SHAPE(1, 2, 3, 5), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the mask is f32[1, 2, 3, 5]");
	MT_CHECK(op(q, k, k, mt_zeros(MT_SHAPE(3, 5), MT_I64)) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "mask is i64[3, 5]; bool or a float dtype");
	MT_CHECK(mt_scaled_dot_product_attention(q, k, k, MT_NONE, (mt_attention_options){.p = 2}) == NULL);
	CHECK_ERROR(MT_E_ARG, "p is 2");
	MT_CHECK(mt_scaled_dot_product_attention(q, k, k, MT_NONE, (mt_attention_options){.scale = (double)INFINITY}) ==
	         NULL);
	CHECK_ERROR(MT_E_ARG, "scale is inf");
}

static void layer_errors(void) {
	const mt_nn_attention_options plain = {0};
	mt_tensor *x = zeros3(2, 3, 4), *bad = mt_zeros(MT_SHAPE(2, 4), MT_BOOL);
	MT_CHECK(mt_nn_multihead_attention(5, 2, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "heads must divide embed, got 2 heads and embed 5");
	MT_CHECK(mt_nn_multihead_attention(4, 2, (mt_nn_attention_options){.dropout = -1}) == NULL);
	CHECK_ERROR(MT_E_ARG, "dropout is -1");
	mt_module *m = mt_nn_multihead_attention(4, 2, plain);
	MT_CHECK(mt_forward(m, zeros3(2, 3, 5)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "MultiheadAttention: multihead_attention: q is f32[2, 3, 5]");
	MT_CHECK(mt_attention_forward(m, x, zeros3(2, 5, 4), x, no_masks, NULL) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "attention_forward: q is f32[2, 3, 4], k is f32[2, 5, 4]");
	MT_CHECK(mt_attention_forward(m, x, x, MT_NONE, no_masks, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "attention_forward: v");
	MT_CHECK(mt_attention_forward(m, x, x, x, (mt_attention_masks){.key_padding = bad}, NULL) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "key_padding is bool[2, 4]; bool [2, 3] is needed");
	MT_CHECK(mt_attention_forward(m, x, x, x, (mt_attention_masks){.key_padding = mt_zeros(MT_SHAPE(2, 3), MT_F32)},
	                              NULL) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "key_padding is f32[2, 3]");
	MT_CHECK(mt_attention_forward(m, x, x, x, (mt_attention_masks){.mask = zeros3(2, 3, 3)}, NULL) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "mask is f32[2, 3, 3]; bool or float [3, 3] or [4, 3, 3] is needed");
	MT_CHECK(mt_attention_forward(m, x, x, x, (mt_attention_masks){.mask = mt_zeros(MT_SHAPE(3, 3), MT_I64)}, NULL) ==
	         NULL);
	CHECK_ERROR(MT_E_DTYPE, "mask is i64[3, 3]");
	MT_CHECK(mt_transformer_forward(m, x, no_masks) == NULL);
	CHECK_ERROR(MT_E_ARG, "the module is a MultiheadAttention; TransformerEncoderLayer is needed");
	MT_CHECK(mt_transformer_forward(NULL, x, no_masks) == NULL);
	CHECK_ERROR(MT_E_NULL, "transformer_forward: layer");
	MT_CHECK(mt_attention_forward(NULL, x, x, x, no_masks, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "attention_forward: attention");
	mt_module_free(m);
	m = mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){0});
	MT_CHECK(mt_attention_forward(m, x, x, x, no_masks, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "the module is a TransformerEncoderLayer; MultiheadAttention is needed");
	MT_CHECK(mt_forward(m, zeros3(2, 3, 5)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "self_attn (MultiheadAttention): ");
	MT_CHECK(mt_transformer_forward(m, MT_NONE, no_masks) == NULL);
	CHECK_ERROR(MT_E_ARG, "transformer_forward: x");
	mt_module_free(m);
	MT_CHECK(mt_nn_transformer_encoder_layer(4, 2, 0, (mt_nn_transformer_options){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "feedforward must be at least 1, got 0");
	MT_CHECK(mt_nn_transformer_encoder_layer(4, 3, 8, (mt_nn_transformer_options){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "heads must divide embed");
	MT_CHECK(mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){.activation = MT_MAP_ISNAN}) == NULL);
	CHECK_ERROR(MT_E_ARG, "nn_activation: map op");
	MT_CHECK(mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){.dropout = 3}) == NULL);
	CHECK_ERROR(MT_E_ARG, "dropout is 3");
	MT_CHECK(mt_nn_transformer_encoder_layer(4, 2, 8, (mt_nn_transformer_options){.eps = -1}) == NULL);
	CHECK_ERROR(MT_E_ARG, "LayerNorm: eps is -1");
}

static const mt_test_case op_cases[] = {
	{"values", values}, {"shapes", shapes}, {"dropout", dropout}, {"errors", op_errors}, {0}};
static const mt_test_case layer_cases[] = {
	{"multihead", multihead}, {"encoder", encoder}, {"masked", masked},       {"modes", modes},
	{"gradients", gradients}, {"modules", modules}, {"errors", layer_errors}, {0}};
static const mt_test_suite suites[] = {
	{"attention", op_cases, NULL, NULL}, {"attention_layers", layer_cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
