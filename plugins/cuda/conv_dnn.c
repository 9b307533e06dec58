#include "conv_dnn.h"
int32_t mt__cuda_dnn(mt_queue *queue, const struct mt_cuda_dnn_call *call, enum mt_cuda_dnn_done *done) {
	(void)queue;
	(void)call;
	*done = MT_CUDA_DNN_NOTHING;
	return MT_OK;
}
