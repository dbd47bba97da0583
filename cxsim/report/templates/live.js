document.querySelectorAll("figure.cx-figure").forEach(function (figure) {
  var spec = JSON.parse(figure.querySelector("script").textContent);
  var options = {
    ast: true,
    renderer: "svg",
    mode: "vega-lite",
    actions: { export: true, source: false, compiled: false, editor: false }
  };
  vegaEmbed(figure.querySelector(".cx-live"), spec, options)
    .then(function () { figure.classList.add("on"); })
    .catch(function (error) { console.error(error); });
});
