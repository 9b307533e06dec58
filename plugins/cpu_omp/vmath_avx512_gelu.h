/* gelu of 16 floats and its slope.  With z = |x| and G(z) = Φ(-z) e^(z²/2):
 * gelu(x) = max(x, 0) - z Φ(-z) = max(x, 0) - e^(-z²/2) H(z),  H = z G;
 * gelu'(x) = (x > 0 ? 1 : 0) - sign(x) e^(-z²/2) K(z),  K = G - z / sqrt(2π). */
#ifndef MT_OMP_VMATH_AVX512_GELU_H
#define MT_OMP_VMATH_AVX512_GELU_H

#include "vmath_avx512_pieces.h"

/* [0, 1/8) and then four pieces an octave. */
static const struct pieces gelu_h = {
	{0x0.0p+0f,      0x1.201000p-3f, 0x1.5fec00p-3f, 0x1.a08c00p-3f, 0x1.e07c00p-3f, 0x1.201000p-2f, 0x1.5f9400p-2f,
     0x1.9fe800p-2f, 0x1.dff000p-2f, 0x1.204000p-1f, 0x1.600000p-1f, 0x1.9fcc00p-1f, 0x1.e06c00p-1f, 0x1.200400p+0f,
     0x1.5f7000p+0f, 0x1.a08400p+0f, 0x1.e07400p+0f, 0x1.1ffc00p+1f, 0x1.607400p+1f, 0x1.a08c00p+1f, 0x1.e01400p+1f,
     0x1.1fa000p+2f, 0x1.5fc000p+2f, 0x1.9fdc00p+2f, 0x1.e09c00p+2f, 0x1.1fa800p+3f, 0x1.601800p+3f, 0x1.a05c00p+3f,
     0x1.dfe000p+3f, 0x1.205400p+4f, 0x1.5fd400p+4f, 0x1.a06000p+4f},
	{{0x0.0p+0f,      0x1.02623ep-4f, 0x1.346d88p-4f, 0x1.64b6c8p-4f, 0x1.92479ep-4f, 0x1.d29956p-4f, 0x1.10bc36p-3f,
      0x1.3538dep-3f, 0x1.5670a6p-3f, 0x1.835c56p-3f, 0x1.b67fc2p-3f, 0x1.e1ecd8p-3f, 0x1.03b580p-2f, 0x1.1aa0e2p-2f,
      0x1.324160p-2f, 0x1.44a548p-2f, 0x1.5290c6p-2f, 0x1.620284p-2f, 0x1.70338cp-2f, 0x1.79a28ep-2f, 0x1.802846p-2f,
      0x1.86bba4p-2f, 0x1.8c2768p-2f, 0x1.8f7566p-2f, 0x1.91a0aep-2f, 0x1.93a36ep-2f, 0x1.95390ep-2f, 0x1.962536p-2f,
      0x1.96b95ap-2f, 0x0.0p+0f,      0x0.0p+0f,      0x0.0p+0f},
     {0x1.000000p-1f,  0x1.9adff6p-2f,  0x1.87c604p-2f,  0x1.75815cp-2f,  0x1.646afep-2f,  0x1.4c8f28p-2f,
      0x1.2fbe1ap-2f,  0x1.158a78p-2f,  0x1.fc3270p-3f,  0x1.be249ep-3f,  0x1.7992fep-3f,  0x1.41491ep-3f,
      0x1.124c9cp-3f,  0x1.b65162p-4f,  0x1.4acfa4p-4f,  0x1.f89956p-5f,  0x1.88ec38p-5f,  0x1.15b228p-5f,
      0x1.6b574ep-6f,  0x1.f16dd8p-7f,  0x1.61fbe6p-7f,  0x1.c13c3cp-8f,  0x1.086514p-8f,  0x1.4ef51ap-9f,
      0x1.bf6010p-10f, 0x1.0c58cep-10f, 0x1.2b5f4ep-11f, 0x1.6eee1ap-12f, 0x1.e35c90p-13f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.98842cp-2f,  -0x1.3b066ap-2f,  -0x1.29bfd6p-2f,  -0x1.195abap-2f,  -0x1.0a2318p-2f,  -0x1.ea2e86p-3f,
      -0x1.b80320p-3f,  -0x1.8b1608p-3f,  -0x1.638026p-3f,  -0x1.30161ap-3f,  -0x1.f17cb0p-4f,  -0x1.994ccep-4f,
      -0x1.51d99ap-4f,  -0x1.00fc56p-4f,  -0x1.6bf3e8p-5f,  -0x1.047984p-5f,  -0x1.7dcbb0p-6f,  -0x1.eea69ap-7f,
      -0x1.219e5cp-7f,  -0x1.65ab3ap-8f,  -0x1.ceb5d2p-9f,  -0x1.016502p-9f,  -0x1.02a11ep-10f, -0x1.1cdee8p-11f,
      -0x1.4f6dc4p-12f, -0x1.562872p-13f, -0x1.3c6b2ep-14f, -0x1.4accb6p-15f, -0x1.7c2990p-16f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.ffece0p-3f,  0x1.7d55b8p-3f,  0x1.65a9f8p-3f,  0x1.4f5aeap-3f,  0x1.3acac2p-3f,  0x1.1e983ap-3f,
      0x1.fac518p-4f,  0x1.c01a76p-4f,  0x1.8d1e16p-4f,  0x1.4c02ccp-4f,  0x1.079102p-4f,  0x1.a4f9a6p-5f,
      0x1.514188p-5f,  0x1.eb217cp-6f,  0x1.488840p-6f,  0x1.bc213ep-7f,  0x1.342580p-7f,  0x1.70d0acp-8f,
      0x1.8605c0p-9f,  0x1.b5bdfap-10f, 0x1.02f542p-10f, 0x1.fce1b6p-12f, 0x1.b79514p-13f, 0x1.a71322p-14f,
      0x1.b8c2a2p-15f, 0x1.7fca38p-16f, 0x1.2715bap-17f, 0x1.07a3c8p-18f, 0x1.08ab96p-19f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.0ea864p-3f,  -0x1.893dfep-4f,  -0x1.6e4b56p-4f,  -0x1.550ecep-4f,  -0x1.3df194p-4f,  -0x1.1e8d3ep-4f,
      -0x1.f3d06ap-5f,  -0x1.b3e3ccp-5f,  -0x1.7d080ap-5f,  -0x1.38483cp-5f,  -0x1.e28be4p-6f,  -0x1.771dc2p-6f,
      -0x1.2479f6p-6f,  -0x1.9a4318p-7f,  -0x1.047c4cp-7f,  -0x1.4e21c6p-8f,  -0x1.b8cf38p-9f,  -0x1.ed3cfcp-10f,
      -0x1.d9da0ap-11f, -0x1.e5c55cp-12f, -0x1.07ef10p-12f, -0x1.d1f35cp-14f, -0x1.5ae560p-15f, -0x1.2448d6p-16f,
      -0x1.0dd31ap-17f, -0x1.9872fap-19f, -0x1.04313cp-20f, -0x1.8c6fcap-22f, -0x1.5b1d4ep-23f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.c0e454p-5f,  0x1.676148p-5f,  0x1.4c9092p-5f,  0x1.33e58ap-5f,  0x1.1d30c2p-5f,  0x1.fd38ccp-6f,
      0x1.b60584p-6f,  0x1.7973f4p-6f,  0x1.45d48ap-6f,  0x1.068b48p-6f,  0x1.8b3032p-7f,  0x1.2b6380p-7f,
      0x1.c88620p-8f,  0x1.347aa6p-8f,  0x1.739350p-9f,  0x1.c9b724p-10f, 0x1.1fe970p-10f, 0x1.2c545cp-11f,
      0x1.09637cp-12f, 0x1.f436b8p-14f, 0x1.f30726p-15f, 0x1.877ab2p-16f, 0x1.fc2436p-18f, 0x1.79ea06p-19f,
      0x1.39aca2p-20f, 0x1.9330fap-22f, 0x1.b10402p-24f, 0x1.1bd136p-25f, 0x1.af9eccp-27f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f}}};

static const struct pieces gelu_k = {
	{0x0.0p+0f,      0x1.1fa400p-3f, 0x1.602400p-3f, 0x1.a08c00p-3f, 0x1.df6400p-3f, 0x1.1fe000p-2f, 0x1.5fb800p-2f,
     0x1.a05400p-2f, 0x1.e08000p-2f, 0x1.1fc800p-1f, 0x1.606400p-1f, 0x1.9fb800p-1f, 0x1.e07800p-1f, 0x1.203400p+0f,
     0x1.602800p+0f, 0x1.a00800p+0f, 0x1.e02000p+0f, 0x1.202c00p+1f, 0x1.608800p+1f, 0x1.9ff800p+1f, 0x1.dfc000p+1f,
     0x1.205800p+2f, 0x1.601c00p+2f, 0x1.a09800p+2f, 0x1.e08800p+2f, 0x1.1fe400p+3f, 0x1.605000p+3f, 0x1.9fd800p+3f,
     0x1.df6c00p+3f, 0x1.205c00p+4f, 0x1.5fbc00p+4f, 0x1.a08000p+4f},
	{{0x1.000000p-1f,  0x1.91f1b0p-2f,  0x1.7a71d4p-2f,  0x1.635dfcp-2f,  0x1.4d34acp-2f,  0x1.2bdf62p-2f,
      0x1.00d434p-2f,  0x1.acf15cp-3f,  0x1.5afd5ep-3f,  0x1.ca6902p-4f,  0x1.2cc6b2p-5f,  -0x1.17a574p-5f,
      -0x1.aa5ecap-4f, -0x1.a19284p-3f, -0x1.5328c0p-2f, -0x1.d03248p-2f, -0x1.24d72ap-1f, -0x1.7d38fap-1f,
      -0x1.efb60ep-1f, -0x1.2ed974p+0f, -0x1.6529c6p+0f, -0x1.b671b6p+0f, -0x1.0ff100p+1f, -0x1.44b8e2p+1f,
      -0x1.78b8dcp+1f, -0x1.c5cc74p+1f, -0x1.16cde8p+2f, -0x1.49d78cp+2f, -0x1.7cd39cp+2f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.988452p-1f, -0x1.7842e2p-1f, -0x1.71f148p-1f, -0x1.6bed7ap-1f, -0x1.6653c0p-1f, -0x1.5e38f4p-1f,
      -0x1.544ff0p-1f, -0x1.4b277ap-1f, -0x1.42d64ep-1f, -0x1.37c766p-1f, -0x1.2ad1f6p-1f, -0x1.200c40p-1f,
      -0x1.16a7f8p-1f, -0x1.0b299ep-1f, -0x1.fe8becp-2f, -0x1.ec81f4p-2f, -0x1.de8800p-2f, -0x1.cef920p-2f,
      -0x1.c0d18ep-2f, -0x1.b7781ap-2f, -0x1.b0e7a4p-2f, -0x1.aa38e6p-2f, -0x1.a4db50p-2f, -0x1.a18b96p-2f,
      -0x1.9f6884p-2f, -0x1.9d6342p-2f, -0x1.9bce92p-2f, -0x1.9ae4ecp-2f, -0x1.9a5028p-2f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {0x1.ffff80p-3f,  0x1.9b0132p-3f,  0x1.87b5bcp-3f,  0x1.75815cp-3f,  0x1.64b3ccp-3f,  0x1.4ca622p-3f,
      0x1.2faea2p-3f,  0x1.1560d0p-3f,  0x1.fbce7ep-4f,  0x1.beb33ep-4f,  0x1.7931dep-4f,  0x1.415918p-4f,
      0x1.1244aep-4f,  0x1.b5f0d8p-5f,  0x1.49ca6ap-5f,  0x1.f995d0p-6f,  0x1.89697cp-6f,  0x1.15549ep-6f,
      0x1.6b294cp-7f,  0x1.f30b88p-8f,  0x1.629386p-8f,  0x1.be56c4p-9f,  0x1.07aa0ap-9f,  0x1.4d52f2p-10f,
      0x1.bf9394p-11f, 0x1.0bb3fap-11f, 0x1.2ad286p-12f, 0x1.704268p-13f, 0x1.e4b476p-14f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.104752p-3f,  -0x1.a430c8p-4f,  -0x1.8cec3ap-4f,  -0x1.7723a2p-4f,  -0x1.632f96p-4f,  -0x1.46e490p-4f,
      -0x1.25459ep-4f,  -0x1.0734c8p-4f,  -0x1.d99090p-5f,  -0x1.960eeep-5f,  -0x1.4b41a0p-5f,  -0x1.10ee4ap-5f,
      -0x1.c2674ep-6f,  -0x1.564834p-6f,  -0x1.e36cdcp-7f,  -0x1.5c23b6p-7f,  -0x1.fdd97ep-8f,  -0x1.49372cp-8f,
      -0x1.81e7f0p-9f,  -0x1.dedec8p-10f, -0x1.352370p-10f, -0x1.5450fap-11f, -0x1.579880p-12f, -0x1.796420p-13f,
      -0x1.bf7e66p-14f, -0x1.c6c964p-15f, -0x1.a4dabcp-16f, -0x1.bb31dcp-17f, -0x1.fcc596p-18f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f},
     {0x1.fbea68p-5f,  0x1.7d84d0p-5f,  0x1.659b22p-5f,  0x1.4f5fb8p-5f,  0x1.3b2630p-5f,  0x1.1ec2fcp-5f,
      0x1.fabd3ep-6f,  0x1.bfd620p-6f,  0x1.8cc750p-6f,  0x1.4cd61ap-6f,  0x1.076362p-6f,  0x1.a5609ap-7f,
      0x1.516bcep-7f,  0x1.ebb860p-8f,  0x1.47cb30p-8f,  0x1.be495ep-9f,  0x1.3545b4p-9f,  0x1.726cc2p-10f,
      0x1.87c990p-11f, 0x1.b9e406p-12f, 0x1.049baap-12f, 0x1.fdc05cp-14f, 0x1.b997bap-15f, 0x1.a6a9e8p-16f,
      0x1.bb8604p-17f, 0x1.8492bap-18f, 0x1.298f7cp-19f, 0x1.0b741ep-20f, 0x1.0b94c8p-21f, 0x0.0p+0f,
      0x0.0p+0f,       0x0.0p+0f},
     {-0x1.78841cp-6f,  -0x1.3a96bap-6f,  -0x1.24fbf0p-6f,  -0x1.10fc50p-6f,  -0x1.fcee4ep-7f,  -0x1.ca5a72p-7f,
      -0x1.8f4d90p-7f,  -0x1.5c7448p-7f,  -0x1.309698p-7f,  -0x1.f23de8p-8f,  -0x1.81418ep-8f,  -0x1.2c48e2p-8f,
      -0x1.d649fap-9f,  -0x1.4a4bdcp-9f,  -0x1.a09164p-10f, -0x1.0cd3cap-10f, -0x1.623ba2p-11f, -0x1.8c4962p-12f,
      -0x1.7e1688p-13f, -0x1.87941ap-14f, -0x1.a7445cp-15f, -0x1.742fb4p-16f, -0x1.1562b2p-17f, -0x1.d3dd32p-19f,
      -0x1.b36de4p-20f, -0x1.462de0p-21f, -0x1.a24b5ep-23f, -0x1.3f79d0p-24f, -0x1.15be4ap-25f, 0x0.0p+0f,
      0x0.0p+0f,        0x0.0p+0f}}};

/* e^(-x²/2) times the function of |x| in the table; 0 from 14.9 on, where that is no longer a float. */
MT_INLINE __m512 gaussian_times(__m512 x, const struct pieces *f) {
	__m512 z = at_most(_mm512_abs_ps(x), 14.9f);
	__m512i index = _mm512_sub_epi32(_mm512_srli_epi32((__m512i)z, 21), _mm512_set1_epi32((0x3e000000 >> 21) - 1));
	index = _mm512_max_epi32(index, _mm512_setzero_si512());
	__m512 p = piece_at(f, z, index);
	/* z² in two parts: the exponential would magnify what rounding it loses */
	__m512 square = _mm512_mul_ps(z, z), lost = _mm512_fmsub_ps(z, z, square), half = set_f32(-0.5f), n;
	__m512i bits;
	__m512 t = exp_parts_low(_mm512_mul_ps(square, half), half, &lost, &n, &bits);
	return _mm512_scalef_ps(_mm512_fmadd_ps(t, p, p), n);
}

MT__FAR __m512 gelu_far(__m512 x) {
	__m512 part = gaussian_times(x, &gelu_h);
	__mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
	__m512 y = _mm512_mask_sub_ps(_mm512_xor_ps(part, set_f32(-0.0f)), positive, x, part);
	/* ±0 and -inf (NaN) as x Φ(x) has them */
	__mmask16 special = _mm512_fpclass_ps_mask(x, 0x02 | 0x04 | 0x10);
	return _mm512_mask_mul_ps(y, special, x, _mm512_setzero_ps());
}

MT_INLINE __m512 gelu_16(__m512 x) {
	__m512 z = _mm512_abs_ps(x), part = piece_at(&gelu_pieces, z, nearest_piece(z, 8.0f));
	__m512 y = _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), x), part);
	__mmask16 far = beyond(x, 3.9375f);
	return MT__RARELY(far) ? _mm512_mask_mov_ps(y, far, gelu_far(x)) : y;
}

MT_INLINE __m512 gelu_slope_16(__m512 x) {
	__m512 part = gaussian_times(x, &gelu_k);
	__mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
	__m512 y = _mm512_mask_sub_ps(part, positive, set_f32(1.0f), part);
	return _mm512_mask_sub_ps(y, _mm512_fpclass_ps_mask(x, 0x08 | 0x10), x, x);
}

#endif
