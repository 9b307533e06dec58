bin_PROGRAMS += train_mnist
train_mnist_SOURCES = $(training_sources)
train_mnist_SOURCES += %D%/data.c
train_mnist_SOURCES += %D%/evaluate.c
train_mnist_SOURCES += %D%/html.h
train_mnist_SOURCES += %D%/main.c
train_mnist_SOURCES += %D%/models.c
train_mnist_SOURCES += %D%/normalise_digit.c
train_mnist_SOURCES += %D%/options.c
train_mnist_SOURCES += %D%/page_of_run.c
train_mnist_SOURCES += %D%/picture.h
train_mnist_SOURCES += %D%/png.c
train_mnist_SOURCES += %D%/predict.c
train_mnist_SOURCES += %D%/run.c
train_mnist_SOURCES += %D%/train_mnist.h
train_mnist_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS) $(PNG_CFLAGS)
train_mnist_LDADD = $(mnist_html_ldadd) $(app_ldadd) $(JANSSON_LIBS) $(PNG_LIBS)

# The page of --html, a library of its own: for the program and for the test of pages.
noinst_LIBRARIES += %D%/libmnist_html.a
mnist_html_ldadd = %D%/libmnist_html.a $(web_ldadd)
mnist_html_embedded = %D%/mnist_css.c %D%/mnist_js.c
apps_train_mnist_libmnist_html_a_SOURCES = %D%/history.c %D%/html.c %D%/html.h %D%/picture.h %D%/study.c
nodist_apps_train_mnist_libmnist_html_a_SOURCES = $(mnist_html_embedded)
apps_train_mnist_libmnist_html_a_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
CLEANFILES += $(mnist_html_embedded)
EXTRA_DIST += %D%/mnist.css %D%/mnist.js
