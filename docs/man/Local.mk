# Manual pages:
#   dist_man_MANS += %D%/name.1
dist_man_MANS += %D%/mt-bench.1
dist_man_MANS += %D%/mt-conformance.1
dist_man_MANS += %D%/mt-info.1
dist_man_MANS += %D%/train_mnist.1
dist_man_MANS += %D%/train_points.1
dist_man_MANS += %D%/train_sentiment.1
