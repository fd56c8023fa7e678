// Shows the OpenAPI document with the Swagger UI that is bundled.
const place = document.getElementById("api");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  // Its validator badge would ask a third party.
  validatorUrl: null,
});
