/* LSTM and GRU: against plain loops in double, against numbers from PyTorch, states, directions, layers, dropout,
 * gradients, saving, printing, errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "modules.h"

static const mt_nn_rnn_options plain = {0};
static const mt_nn_rnn_options two_both_ways = {.layers = 2, .bidirectional = 1};

typedef mt_module *(*rnn_maker)(int64_t in, int64_t hidden, mt_nn_rnn_options options);
static const rnn_maker makers[] = {mt_nn_lstm, mt_nn_gru};
static const char *const names[] = {"lstm", "gru"};
static const int gates_of[] = {4, 3};

/* ---- the reference ----------------------------------------------------------------------------------------------- */

static double sigmoid(double x) {
	return 1 / (1 + exp(-x));
}

enum { MAX = 8 };

/* One time step of one sequence: h (and c) become the next. */
static void plain_step(int gru, int in, int hidden, double *const *p, const double *x, double *h, double *c) {
	double a[4 * MAX] = {0}, b[4 * MAX] = {0}, next[MAX] = {0};
	for (int row = 0; row < gates_of[gru] * hidden; row++) {
		a[row] = p[2] != NULL ? p[2][row] : 0;
		b[row] = p[3] != NULL ? p[3][row] : 0;
		for (int j = 0; j < in; j++)
			a[row] += p[0][row * in + j] * x[j];
		for (int j = 0; j < hidden; j++)
			b[row] += p[1][row * hidden + j] * h[j];
	}
	for (int j = 0; j < hidden; j++) {
		double g[4];
		for (int k = 0; k < gates_of[gru]; k++)
			g[k] = a[k * hidden + j] + b[k * hidden + j];
		if (gru) {
			double n = tanh(a[2 * hidden + j] + sigmoid(g[0]) * b[2 * hidden + j]), z = sigmoid(g[1]);
			next[j] = (1 - z) * n + z * h[j];
		} else {
			c[j] = sigmoid(g[1]) * c[j] + sigmoid(g[0]) * tanh(g[2]);
			next[j] = sigmoid(g[3]) * tanh(c[j]);
		}
	}
	memcpy(h, next, (size_t)hidden * sizeof *h);
}

/* All layers and directions; x [L, N, in] is replaced by the output [L, N, D · hidden].  h, c: [layers · D, N, hidden]. */
static void plain_rnn(mt_module *m, int gru, mt_nn_rnn_options o, int length, int batch, int in, int hidden, double *x,
                      double *h, double *c) {
	mt_tensor *parameters[64];
	int directions = o.bidirectional ? 2 : 1, each = o.no_bias ? 2 : 4;
	double y[512] = {0};
	mt_module_parameters(m, parameters, 64);
	for (int layer = 0; layer < (o.layers ? o.layers : 1); layer++) {
		for (int d = 0; d < directions; d++) {
			double *p[4] = {NULL};
			int at = layer * directions + d;
			for (int k = 0; k < each; k++)
				p[k] = elements(parameters[at * each + k]);
			for (int n = 0; n < batch; n++)
				for (int step = 0; step < length; step++) {
					int t = d ? length - 1 - step : step;
					double *hs = h + (at * batch + n) * hidden;
					plain_step(gru, in, hidden, p, x + (t * batch + n) * in, hs, c + (at * batch + n) * hidden);
					memcpy(y + (t * batch + n) * directions * hidden + d * hidden, hs, (size_t)hidden * sizeof *hs);
				}
			for (int k = 0; k < each; k++)
				free(p[k]);
		}
		in = directions * hidden;
		memcpy(x, y, (size_t)(length * batch * in) * sizeof *x);
	}
}

static void check_against_plain(int gru, mt_nn_rnn_options o, mt_dtype dtype, int with_states) {
	enum { LENGTH = 5, BATCH = 3, IN = 4, HIDDEN = 3 };
	int directions = o.bidirectional ? 2 : 1, states = (o.layers ? o.layers : 1) * directions;
	mt_module *m = makers[gru](IN, HIDDEN, o);
	MT_REQUIRE(m != NULL);
	if (dtype == MT_F64)
		module_to_f64(m);
	mt_tensor *x = random_like(MT_SHAPE(LENGTH, BATCH, IN), dtype, -2, 2, 1);
	mt_tensor *h0 = random_like(MT_SHAPE(states, BATCH, HIDDEN), dtype, -1, 1, 2);
	mt_tensor *c0 = random_like(MT_SHAPE(states, BATCH, HIDDEN), dtype, -1, 1, 3), *hn = NULL, *cn = NULL, *y;
	if (!with_states)
		h0 = c0 = mt_zeros_like(h0);
	double *xs = elements(x), *h = elements(h0), *c = elements(c0), want[512];
	memcpy(want, xs, LENGTH * BATCH * IN * sizeof *xs);
	plain_rnn(m, gru, o, LENGTH, BATCH, IN, HIDDEN, want, h, c);
	mt_tensor *given = o.batch_first ? mt_transpose(x, 0, 1) : x;
	if (with_states)
		y = mt_rnn_forward(m, given, h0, gru ? MT_NONE : c0, &hn, gru ? NULL : &cn);
	else
		y = mt_forward(m, given);
	if (o.batch_first) {
		CHECK_SHAPE(y, BATCH, LENGTH, directions * HIDDEN);
		y = mt_transpose(y, 0, 1);
	}
	CHECK_SHAPE(y, LENGTH, BATCH, directions * HIDDEN);
	MT_CHECK(mt_tensor_dtype(y) == dtype);
	CHECK_CLOSE(y, want, LENGTH * BATCH * directions * HIDDEN, 10 * rtol_of(dtype), 1);
	if (with_states) {
		CHECK_SHAPE(hn, states, BATCH, HIDDEN);
		CHECK_CLOSE(hn, h, states * BATCH * HIDDEN, 10 * rtol_of(dtype), 1);
	}
	if (with_states && !gru)
		CHECK_CLOSE(cn, c, states * BATCH * HIDDEN, 10 * rtol_of(dtype), 1);
	free(xs);
	free(h);
	free(c);
	mt_module_free(m);
}

static void values_on_device(void) {
	static const mt_nn_rnn_options options[] = {{0},
	                                            {.no_bias = 1},
	                                            {.layers = 2},
	                                            {.bidirectional = 1},
	                                            {.layers = 3, .bidirectional = 1},
	                                            {.batch_first = 1}};
	mt_seed(5);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		for (int gru = 0; gru < 2; gru++)
			for (int k = 0; k < 4; k++) {
				mt_scope *scope = mt_scope_begin();
				row("%s options %d %s states %d", names[gru], (int)i, k & 1 ? "f64" : "f32", k >> 1);
				check_against_plain(gru, options[i], k & 1 ? MT_F64 : MT_F32, k >> 1);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- numbers from PyTorch 2.15 --------------------------------------------------------------------------------------
 *     m = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True)      # and GRU; f64, parameters as fill_parameters
 *     x = data(3, 2, 3); h0 = data(4, 2, 2, phase=1); c0 = data(4, 2, 2, phase=2)      # data: wave
 *     y, (hn, cn) = m(x, (h0, c0)); (y * data(*y.shape, phase=3)).sum().backward()
 *     gw = [p.grad.sum() for p in m.parameters()] */

static const double lstm_y[] = {-0.0317826098594876, 0.0420218102050081, -0.173501946708781,  0.0868456651984399,
                                0.192691259985076,   0.262952965050987,  -0.270238257135236,  -0.000649643607713865,
                                0.0810034855031435,  0.14492219690549,   -0.0702168869491675, 0.112997573021842,
                                0.215439676447509,   0.273102715624751,  -0.307822016616618,  -0.0248661091125838,
                                0.127357407670224,   0.185214613018729,  0.209883850714407,   0.111800786089701,
                                0.239990975654434,   0.230214094602621,  -0.352469292454914,  -0.136051507153586};
static const double lstm_hn[] = {-0.420497162607717, -0.00612780880802129, 0.116614633024998,  0.191160646296587,
                                 0.0147224535488185, -0.398188429670298,   -0.3940695755309,   -0.156017273977102,
                                 0.127357407670224,  0.185214613018729,    0.239990975654434,  0.230214094602621,
                                 -0.173501946708781, 0.0868456651984399,   -0.270238257135236, -0.000649643607713865};
static const double lstm_cn[] = {-0.534704363099265, -0.0115282764616196, 0.206987657583525,  0.242579289333372,
                                 0.0722606800218947, -0.816513083498326,  -1.32177520913134,  -0.556131419164843,
                                 0.276132895083853,  0.490162889517386,   0.515270092264837,  0.613775264601177,
                                 -0.268170812319622, 0.128593614790726,   -0.419197816867474, -0.000900824393452125};
static const double lstm_gx[] = {0.00552202796261409,  0.00313654334280337,  -0.000724106620969396, 0.00237412023336772,
                                 -0.00485977194086348, -0.00980803743527537, 0.0131707927340164,    0.024911628339617,
                                 0.0249361358821654,   0.00814688759373257,  -0.00473573000088151,  -0.0153910597782586,
                                 0.00284845170755681,  0.0105746832919338,   0.01332747609013,      0.00952046789490726,
                                 -0.00252943960288552, -0.0133897121318572};
static const double lstm_gh0[] = {0.0163414633382163,  0.0145717997302631,  0.00198937867527209, -0.00221801724052967,
                                  -0.0018374963507727, 0.00862592840859639, 0.00365162616409511, 0.0120143047933087,
                                  -0.0016039560793296, 0.10823469002742,    0.0040231296181119,  0.00613305985843154,
                                  0.150300386873764,   0.1460740403509,     -0.0743017879050282, -0.113043325759169};
static const double lstm_gc0[] = {0.00966835129686822, -0.00183349134969699, 0.011203454223172,  0.00993065193049588,
                                  0.00601854552741654, 0.0241674595028598,   0.0415846476239804, 0.0144760152011451,
                                  -0.249236717995647,  0.0671197176740412,   0.139203762591322,  -0.170588553056666,
                                  0.103223522228895,   0.0813486430426375,   -0.187825112032338, -0.0245193581833484};
static const double lstm_gw[] = {-0.284246465362808, -0.0120232463314902, 0.104479912668519,    0.104479912668519,
                                 0.161532256207097,  0.0573482368461978,  -0.00589662645883884, -0.00589662645883884,
                                 -0.235377547457803, -0.273556128941674,  -0.475459206277397,   -0.475459206277397,
                                 -1.15267193256636,  1.77565470712567,    1.57780739971359,     1.57780739971359};
static const double gru_y[] = {0.0328995427106022, -0.123889274648999, -0.490066997595985, 0.0523111847786208,
                               -0.170344856138043, 0.356866693002951,  -0.392992620425123, -0.164964302978193,
                               0.201807505762861,  0.109311384730694,  -0.195271083183153, 0.0347753042409758,
                               0.14678491130661,   0.302357899176998,  -0.364673145038324, -0.0357023125081823,
                               0.243742226459724,  0.229902377835626,  0.350617632591525,  0.154817088010039,
                               0.361829534614592,  0.197032229826035,  -0.203604006739721, -0.0904957104294658};
static const double gru_hn[] = {-0.645355206045183, -0.0953088625437374, 0.395683944766593,  0.184488163116489,
                                0.166944768116607,  -0.613840846913283,  -0.224817130553993, -0.192085705607486,
                                0.243742226459724,  0.229902377835626,   0.361829534614592,  0.197032229826035,
                                -0.490066997595985, 0.0523111847786208,  -0.392992620425123, -0.164964302978193};
static const double gru_gx[] = {-0.0584364221444703,   -0.0623754073204681, -0.036978263791025,  -0.0125545216080809,
                                -0.0441731268449797,   -0.055016420302538,  -0.0200801342035398, -0.00745681139776738,
                                0.00867356632426722,   -0.0116056554680256, -0.0523957443211113, -0.0685432959138894,
                                -0.000390495412917878, 0.0227154776403067,  0.0351380066201659,  -0.0392182200171438,
                                0.00505391149722788,   0.046949109464908};
static const double gru_gh0[] = {0.0906268784230002, 0.080299693518439,  0.106663674039393,  0.0209044563413782,
                                 0.0587864701007578, 0.0421913487556375, -0.104443949805171, -0.196943821817525,
                                 -0.63994506960858,  0.29678951135546,   0.409933204326891,  -0.501479380456148,
                                 0.551502961041236,  0.528146413967538,  -0.484013412774526, -0.0349524049138801};
static const double gru_gw[] = {-0.632093807528716, 0.0589361224203771, 0.894165222188581,  0.240525293077901,
                                0.599464705827079,  0.0174135585821026, -0.127318731562197, -0.0477081034735822,
                                -0.946118482225387, -0.202361730314212, -0.82061493328602,  -0.390224069463647,
                                -5.54498077881957,  3.60995906842557,   1.63654577348382,   1.28596752247558};

static const struct {
	const double *y, *hn, *cn, *gx, *gh0, *gc0, *gw;
} from_torch[] = {{lstm_y, lstm_hn, lstm_cn, lstm_gx, lstm_gh0, lstm_gc0, lstm_gw},
                  {gru_y, gru_hn, NULL, gru_gx, gru_gh0, NULL, gru_gw}};

static void torch_on_device(void) {
	for (int gru = 0; gru < 2; gru++) {
		row("%s", names[gru]);
		mt_module *m = makers[gru](3, 2, two_both_ways);
		MT_REQUIRE(m != NULL);
		module_to_f64(m);
		fill_parameters(m);
		mt_tensor *x = mt_requires_grad_(wave(MT_SHAPE(3, 2, 3), 0), 1), *hn = NULL, *cn = NULL, *parameters[16];
		mt_tensor *h0 = mt_requires_grad_(wave(MT_SHAPE(4, 2, 2), 1), 1);
		mt_tensor *c0 = gru ? MT_NONE : mt_requires_grad_(wave(MT_SHAPE(4, 2, 2), 2), 1);
		mt_tensor *y = mt_rnn_forward(m, x, h0, c0, &hn, gru ? NULL : &cn);
		MT_REQUIRE(y != NULL);
		CHECK_CLOSE(y, from_torch[gru].y, 24, 1e-13, 1);
		CHECK_CLOSE(hn, from_torch[gru].hn, 16, 1e-13, 1);
		MT_CHECK_INT(mt_backward_from(y, wave(MT_SHAPE(3, 2, 4), 3), 0), MT_OK);
		CHECK_CLOSE(mt_grad(x), from_torch[gru].gx, 18, 1e-13, 1);
		CHECK_CLOSE(mt_grad(h0), from_torch[gru].gh0, 16, 1e-13, 1);
		if (!gru) {
			CHECK_CLOSE(cn, from_torch[gru].cn, 16, 1e-13, 1);
			CHECK_CLOSE(mt_grad(c0), from_torch[gru].gc0, 16, 1e-13, 1);
		}
		MT_CHECK_INT(mt_module_parameters(m, parameters, 16), 16);
		for (int k = 0; k < 16; k++)
			CHECK_CLOSE(mt_sum(mt_grad(parameters[k]), MT_ALL_AXES, 0), &from_torch[gru].gw[k], 1, 1e-12, 1);
		mt_module_free(m);
	}
}

static void torch(void) {
	each_backend(torch_on_device);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* Through output and last states. */
static mt_tensor *everything(mt_tensor *const *in, int n, void *context) {
	mt_module *m = context;
	mt_tensor *hn = NULL, *cn = NULL;
	int gru = strcmp(mt_module_class_name(m), "GRU") == 0;
	mt_tensor *y = mt_rnn_forward(m, in[0], n > 1 ? in[1] : MT_NONE, n > 2 ? in[2] : MT_NONE, &hn, gru ? NULL : &cn);
	mt_tensor *parts[3] = {mt_reshape(y, MT_SHAPE(-1)), mt_reshape(hn, MT_SHAPE(-1)),
	                       gru ? NULL : mt_reshape(cn, MT_SHAPE(-1))};
	return mt_cat(parts, gru ? 2 : 3, 0);
}

static void gradients_on_device(void) {
	mt_seed(11);
	for (int gru = 0; gru < 2; gru++) {
		row("%s one layer", names[gru]);
		mt_module *small = makers[gru](2, 2, plain), *large = makers[gru](2, 2, two_both_ways);
		module_to_f64(small);
		module_to_f64(large);
		mt_tensor *in[3] = {random_like(MT_SHAPE(3, 2, 2), MT_F64, -1, 1, 1),
		                    random_like(MT_SHAPE(1, 2, 2), MT_F64, -1, 1, 2),
		                    random_like(MT_SHAPE(1, 2, 2), MT_F64, -1, 1, 3)};
		for (int i = 0; i < 3; i++)
			mt_requires_grad_(in[i], 1);
		check_module_gradients(small, everything, in, gru ? 2 : 3, 1);
		row("%s two layers both ways", names[gru]);
		check_module_gradients(large, everything, in, 1, 0);
		mt_module_free(small);
		mt_module_free(large);
	}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- modes, states, edges ---------------------------------------------------------------------------------------- */

/* One pass over 6 steps is two passes over 3 with the states handed on. */
static void continued_on_device(void) {
	for (int gru = 0; gru < 2; gru++) {
		row("%s", names[gru]);
		mt_module *m = makers[gru](3, 4, (mt_nn_rnn_options){.layers = 2});
		mt_tensor *x = random_like(MT_SHAPE(6, 2, 3), MT_F32, -1, 1, 1), *h = MT_NONE, *c = MT_NONE, *parts[2];
		double *whole = elements(mt_forward(m, x));
		for (int i = 0; i < 2; i++)
			parts[i] = mt_rnn_forward(m, mt_narrow(x, 0, 3 * i, 3), h, c, &h, gru ? NULL : &c);
		CHECK_CLOSE(mt_cat(parts, 2, 0), whole, 48, 1e-6, 1);
		free(whole);
		mt_module_free(m);
	}
}

static void continued(void) {
	each_backend(continued_on_device);
}

static void dropout_on_device(void) {
	row("dropout");
	mt_module *m = mt_nn_lstm(3, 40, (mt_nn_rnn_options){.layers = 2, .dropout = 0.5});
	mt_tensor *x = random_like(MT_SHAPE(4, 2, 3), MT_F32, -1, 1, 1);
	double same;
	mt_seed(1);
	mt_tensor *a = mt_forward(m, x), *b = mt_forward(m, x);
	MT_REQUIRE(mt_item(mt_all(mt_eq(a, b), MT_ALL_AXES, 0), &same) == MT_OK);
	MT_CHECK(same == 0);
	mt_module_train(m, 0);
	a = mt_forward(m, x);
	b = mt_forward(m, x);
	MT_REQUIRE(mt_item(mt_all(mt_eq(a, b), MT_ALL_AXES, 0), &same) == MT_OK);
	MT_CHECK(same == 1);
	row("all dropped: the second layer sees nothing of the first");
	mt_module *none = mt_nn_gru(3, 4, (mt_nn_rnn_options){.layers = 2, .dropout = 1});
	a = mt_forward(none, x);
	b = mt_forward(none, mt_neg(x));
	MT_REQUIRE(mt_item(mt_all(mt_eq(a, b), MT_ALL_AXES, 0), &same) == MT_OK);
	MT_CHECK(same == 1);
	MT_REQUIRE(mt_item(mt_any(a, MT_ALL_AXES, 0), &same) == MT_OK);
	MT_CHECK(same == 1); /* the last layer's output is not dropped */
	mt_module_free(m);
	mt_module_free(none);
}

static void dropout(void) {
	each_backend(dropout_on_device);
}

static void edges_on_device(void) {
	for (int gru = 0; gru < 2; gru++) {
		mt_tensor *hn = NULL;
		row("%s: no sequences, one step, NaN", names[gru]);
		mt_module *m = makers[gru](3, 4, two_both_ways);
		mt_tensor *y = mt_rnn_forward(m, mt_zeros(MT_SHAPE(5, 0, 3), MT_F32), MT_NONE, MT_NONE, &hn, NULL);
		CHECK_SHAPE(y, 5, 0, 8);
		CHECK_SHAPE(hn, 4, 0, 4);
		MT_CHECK_INT(mt_backward_from(y, mt_zeros_like(y), 0), MT_OK);
		CHECK_SHAPE(mt_forward(m, mt_zeros(MT_SHAPE(1, 2, 3), MT_F32)), 1, 2, 8);
		mt_tensor *x = mt_zeros(MT_SHAPE(2, 2, 3), MT_F32);
		mt_set(x, (const int64_t[]){1, 0, 2}, mt_f(NAN));
		double *v = elements(mt_forward(m, x));
		MT_REQUIRE(v != NULL);
		MT_CHECK(isnan(v[0]) && !isnan(v[8])); /* the other sequence does not know */
		free(v);
		row("%s: no batch", names[gru]);
		CHECK_SHAPE(mt_forward(m, random_in(STEPPED, MT_SHAPE(3, 2, 3), MT_F64, -1, 1, 1)), 3, 2, 8);
		mt_module_free(m);
	}
}

static void edges(void) {
	each_backend(edges_on_device);
}

/* ---- the module -------------------------------------------------------------------------------------------------- */

static void module(void) {
	mt_module *m = mt_nn_lstm(10, 20, (mt_nn_rnn_options){.layers = 2});
	CHECK_PRINTED(m, "LSTM(10, 20, num_layers=2)  5920 parameters\n");
	mt_module_free(m);
	m = mt_nn_gru(3, 4, (mt_nn_rnn_options){2, 1, 1, 1, 0.25});
	CHECK_PRINTED(
		m, "GRU(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.25, bidirectional=True)  456 parameters\n");
	CHECK_SHAPE(mt_module_get(m, "weight_ih_l0"), 12, 3);
	CHECK_SHAPE(mt_module_get(m, "weight_hh_l1_reverse"), 12, 4);
	CHECK_SHAPE(mt_module_get(m, "weight_ih_l1"), 12, 8);
	MT_CHECK(mt_module_get(m, "bias_ih_l0") == NULL);
	CHECK_ERROR(MT_E_ARG, "weight_ih_l0, weight_hh_l0, weight_ih_l0_reverse");
	mt_module_free(m);
	row("initial values");
	m = mt_nn_lstm(7, 25, plain);
	static const char *const parameters[] = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"};
	for (int i = 0; i < 4; i++) {
		double largest;
		MT_CHECK_INT(mt_item(mt_max(mt_abs(mt_module_get(m, parameters[i])), MT_ALL_AXES, 0), &largest), MT_OK);
		MT_CHECK_MSG(largest <= 0.2 && largest > 0.18, "%s up to %g", parameters[i], largest);
	}
	check_saved(m, mt_nn_lstm(7, 25, plain));
	check_saved(mt_nn_gru(3, 2, two_both_ways), mt_nn_gru(3, 2, two_both_ways));
}

static void errors(void) {
	mt_module *m = mt_nn_lstm(3, 4, two_both_ways), *g = mt_nn_gru(3, 4, (mt_nn_rnn_options){.batch_first = 1});
	mt_module *other = mt_nn_linear(3, 4, 1);
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 5, 3), MT_F32), *h = mt_zeros(MT_SHAPE(4, 5, 4), MT_F32), *cn;
	MT_CHECK(mt_nn_lstm(0, 4, plain) == NULL);
	CHECK_ERROR(MT_E_ARG, "LSTM: in and hidden must be at least 1, got 0 and 4");
	MT_CHECK(mt_nn_gru(3, 4, (mt_nn_rnn_options){.layers = -1}) == NULL);
	CHECK_ERROR(MT_E_ARG, "GRU: layers");
	MT_CHECK(mt_nn_gru(3, 4, (mt_nn_rnn_options){.dropout = (double)NAN}) == NULL);
	CHECK_ERROR(MT_E_ARG, "GRU: dropout");
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(2, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "LSTM: lstm: x is f32[2, 3]; [L, N, 3] is needed");
	MT_CHECK(mt_forward(g, mt_zeros(MT_SHAPE(2, 3, 4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "GRU: gru: x is f32[2, 3, 4]; [N, L, 3] is needed");
	MT_CHECK(mt_forward(m, mt_zeros(MT_SHAPE(0, 5, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the sequence has no steps");
	MT_CHECK(mt_forward(g, mt_zeros(MT_SHAPE(5, 0, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the sequence has no steps");
	MT_CHECK(mt_rnn_forward(m, x, h, mt_zeros(MT_SHAPE(2, 5, 4), MT_F32), NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "rnn_forward: c0 is f32[2, 5, 4]; float [4, 5, 4] is needed");
	MT_CHECK(mt_rnn_forward(m, x, mt_zeros(MT_SHAPE(4, 5, 4), MT_I64), h, NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "h0 is i64");
	MT_CHECK(mt_rnn_forward(g, mt_zeros(MT_SHAPE(5, 2, 3), MT_F32), MT_NONE, h, NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "a GRU has no cell state; c0");
	MT_CHECK(mt_rnn_forward(g, x, MT_NONE, MT_NONE, NULL, &cn) == NULL);
	CHECK_ERROR(MT_E_ARG, "a GRU has no cell state; cn");
	MT_CHECK(mt_rnn_forward(m, x, NULL, MT_NONE, NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "rnn_forward: h0");
	MT_CHECK(mt_rnn_forward(other, x, MT_NONE, MT_NONE, NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_ARG, "the module is a Linear; LSTM or GRU is needed");
	MT_CHECK(mt_rnn_forward(NULL, x, MT_NONE, MT_NONE, NULL, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "rnn_forward: rnn");
	mt_module_free(m);
	mt_module_free(g);
	mt_module_free(other);
}

static const mt_test_case cases[] = {{"values", values},       {"torch", torch},     {"gradients", gradients},
                                     {"continued", continued}, {"dropout", dropout}, {"edges", edges},
                                     {"module", module},       {"errors", errors},   {0}};
static const mt_test_suite suites[] = {{"rnn", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
