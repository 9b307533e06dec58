/* What is drawn on train_mnist's page:
 *   mtMnistReport({curve: [[step, loss, low, high, accuracy], …], valid: [[step, loss, accuracy], …], test: [the same],
 *                  confusion, worst: [{image, label, predicted, p, pLabel, loss, pixels}, …],
 *                  filters: {height, width, pixels: [base64, …]}})
 * into the elements loss, accuracy, confusion, worst and filters. */
function mtMnistReport(run) {
	'use strict';

	function place(id) {
		return document.getElementById(id);
	}

	function column(rows, i) {
		return rows.map(function (row) {
			return [row[0], row[i]];
		});
	}

	function only(rows, i) {
		return rows.map(function (row) {
			return row[i];
		});
	}

	/* at: columns of training and of evaluations. */
	function curves(title, label, at, band) {
		const series = [];
		if (run.curve.length)
			series.push(Object.assign({name: 'training', style: 0, marker: run.curve.length === 1,
				points: column(run.curve, at[0])}, band));
		if (run.valid.length)
			series.push({name: 'validation', style: 1, points: column(run.valid, at[1])});
		series.push({name: 'test', style: 2, line: false, points: column([run.test], at[1])});
		return {title: title, legend: true, x: {label: 'step', whole: true}, y: {label: label}, series: series};
	}

	function drawCurves() {
		const band = run.curve.length && {low: only(run.curve, 2), high: only(run.curve, 3)};
		mtLineChart(place('loss'), curves('Loss', 'loss', [1, 1], band));
		mtLineChart(place('accuracy'), curves('Accuracy', 'accuracy, %', [4, 2], {}));
	}

	function drawConfusion() {
		const digits = run.confusion.map(function (row, i) {
			return String(i);
		});
		mtMatrix(place('confusion'), {title: 'What was read as what', rows: digits, columns: digits,
			counts: run.confusion, labels: ['label', 'read as']});
	}

	function picture(width, height, pixels, scale, name, lines) {
		const canvas = mtNode('canvas', {role: 'img', 'aria-label': name});
		mtImage(canvas, width, height, pixels, {scale: scale});
		return mtNode('figure', {}, [canvas, mtNode('figcaption', {}, lines)]);
	}

	function drawWorst() {
		place('worst').append.apply(place('worst'), run.worst.map(function (w) {
			const right = w.label === w.predicted;
			return picture(28, 28, w.pixels, 3, 'image ' + w.image + ' of a ' + w.label + ', read as ' + w.predicted, [
				mtNode('strong', {class: right ? 'mt-good' : 'mt-bad'}, w.label + ' read as ' + w.predicted), mtNode('br'),
				w.predicted + ': ' + mtFormat(w.p, 'percent'), mtNode('br')
			].concat(right ? [] : [w.label + ': ' + mtFormat(w.pLabel, 'percent'), mtNode('br')], [
				'loss ' + mtFormat(w.loss, 'plain'), mtNode('br'),
				'no. ' + w.image]));
		}));
	}

	function drawFilters() {
		const f = run.filters;
		const scale = Math.max(1, Math.round(84 / Math.max(f.width, f.height)));
		place('filters').append.apply(place('filters'), f.pixels.map(function (pixels, i) {
			return picture(f.width, f.height, pixels, scale, 'filter ' + i, String(i));
		}));
	}

	drawCurves();
	drawConfusion();
	drawWorst();
	drawFilters();
}
