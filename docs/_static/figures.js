// Draws each figure when it comes near the window, from the JSON that stands behind it.
const config = { displayModeBar: false, responsive: true };
const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    const { data, layout } = JSON.parse(target.nextElementSibling.textContent);
    Plotly.newPlot(target, data, { ...layout, autosize: true, width: undefined }, config);
  }
}, { rootMargin: "600px" });
document.querySelectorAll(".course-plot").forEach((box) => near.observe(box));
