/* For scripts that test a page from inside (chromium.sh):
 *   same(name, actual, expected)   one test: both are the same as JSON
 *   find(selector), all(selector)  elements
 *   later(milliseconds)            a promise
 * A script may await; results are lines of <pre id="mt-results">. */
const mtResults = document.createElement('pre');
mtResults.id = 'mt-results';

function same(name, actual, expected) {
	const got = JSON.stringify(actual);
	const wanted = JSON.stringify(expected);
	mtResults.textContent +=
		got === wanted ? 'ok\t' + name + '\n' : 'no\t' + name + '\tgot ' + got + ', expected ' + wanted + '\n';
}

function all(selector) {
	return Array.from(document.querySelectorAll(selector));
}

function find(selector) {
	const element = document.querySelector(selector);
	if (element === null)
		throw new Error('there is no ' + selector);
	return element;
}

function later(milliseconds) {
	return new Promise(function (resolve) {
		setTimeout(resolve, milliseconds);
	});
}

function run(script) {
	document.body.append(mtResults);
	script().then(
		function () {
			mtResults.textContent += 'end\n';
		},
		function (error) {
			mtResults.textContent += 'no\tthe script\t' + error + '\n';
		});
}
