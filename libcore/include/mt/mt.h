/* mt: the umbrella header. */
#ifndef MT_MT_H
#define MT_MT_H

#include "mt/status.h"
#include "mt/backend.h"
#include "mt/tensor.h"
#include "mt/ops.h"
#include "mt/autograd.h"
#include "mt/nn.h"
#include "mt/optim.h"
#include "mt/data.h"
#include "mt/io.h"

#endif
