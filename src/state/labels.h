/* Moved: see model/labels.h. */
#include "model/labels.h"
