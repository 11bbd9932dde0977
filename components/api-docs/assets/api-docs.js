"use strict";

// Everything Swagger UI could fetch, keep or take from the address beside our own document is off: no validator,
// no stored tokens, no configuration in the query. Its basic layout has no bar for other documents.
window.addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    tryItOutEnabled: true,
    validatorUrl: null,
    withCredentials: false,
  });
});
