/* Tables and pictures of numbers.
 *   mtMatrix(element, {title, rows: [name, …], columns: [name, …], counts: [[n, …], …], labels: [of rows, of columns]})
 *     A heat map with its numbers.  Where rows and columns are the same names it is a confusion matrix: the diagonal is
 *     shaded by its share of the row, the mistakes in another colour against the greatest of them.
 *   mtImage(canvas, width, height, pixels, {scale, invert})
 *     A grey picture, a byte a pixel, rows from the top: an array of bytes, or base64.  Each pixel is scale wide. */
(function () {
	'use strict';

	function greatest(counts, wanted) {
		let most = 0;
		counts.forEach(function (row, i) {
			row.forEach(function (n, j) {
				if (wanted(i, j) && n > most)
					most = n;
			});
		});
		return most;
	}

	function shade(options, square, i, j) {
		const n = options.counts[i][j];
		if (!(n > 0))
			return {share: 0, name: 'plain'};
		if (square && i === j) {
			const total = options.counts[i].reduce(function (sum, count) {
				return sum + count;
			}, 0);
			return {share: n / total, name: 'right'};
		}
		const most = greatest(options.counts, function (k, l) {
			return !square || k !== l;
		});
		return {share: n / most, name: square ? 'wrong' : 'right'};
	}

	function cell(options, square, i, j) {
		const n = options.counts[i][j];
		const at = shade(options, square, i, j);
		return mtNode('td', {
			class: 'mt-cell mt-' + at.name + (at.share > 0.3 ? ' mt-strong' : ''),
			'data-count': n,
			style: '--mt-share:' + (100 * Math.sqrt(at.share)).toFixed(1) + '%',
			title: options.rows[i] + ' → ' + options.columns[j] + ': ' + n
		},
			n === 0 ? '·' : mtFormat(n, 'integer'));
	}

	window.mtMatrix = function (element, options) {
		const labels = options.labels || [];
		const square = JSON.stringify(options.rows) === JSON.stringify(options.columns);
		const head = mtNode('tr', {}, [
			mtNode('th', {class: 'mt-corner', scope: 'col'},
				labels.length > 1 ? labels[0] + ' ↓  ' + labels[1] + ' →' : '')
		].concat(options.columns.map(function (name) {
			return mtNode('th', {scope: 'col'}, String(name));
		})));
		const rows = options.counts.map(function (row, i) {
			return mtNode(
				'tr', {}, [mtNode('th', {scope: 'row'}, String(options.rows[i]))].concat(row.map(function (n, j) {
					return cell(options, square, i, j);
				})));
		});
		element.replaceChildren(mtNode('figure', {class: 'mt-chart'}, [
			options.title ? mtNode('figcaption', {}, options.title) : null,
			mtNode('div', {class: 'mt-scroll'},
				mtNode('table', {class: 'mt-matrix'}, [mtNode('thead', {}, head), mtNode('tbody', {}, rows)]))
		]));
	};

	function bytesOf(pixels) {
		if (typeof pixels !== 'string')
			return pixels;
		return Uint8Array.from(atob(pixels), function (character) {
			return character.charCodeAt(0);
		});
	}

	window.mtImage = function (canvas, width, height, pixels, options) {
		const bytes = bytesOf(pixels);
		const invert = options && options.invert;
		const scale = options && options.scale || 1;
		if (bytes.length !== width * height)
			throw new Error('mtImage: ' + bytes.length + ' pixels for ' + width + ' × ' + height);
		canvas.width = width;
		canvas.height = height;
		canvas.style.width = width * scale + 'px';
		canvas.style.height = height * scale + 'px';
		canvas.classList.add('mt-image');
		const context = canvas.getContext('2d');
		const image = context.createImageData(width, height);
		for (let i = 0; i < bytes.length; i++) {
			const grey = invert ? 255 - bytes[i] : bytes[i];
			image.data.set([grey, grey, grey, 255], 4 * i);
		}
		context.putImageData(image, 0, 0);
	};
})();
