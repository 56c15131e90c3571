/* Passkeys: the browser asks the device, the answer travels in a hidden field of the same form. */
(function () {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) {
    return;
  }

  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (sign) { return sign.charCodeAt(0); });
  }

  function text(buffer) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return (list || []).map(function (item) {
      return Object.assign({}, item, { id: bytes(item.id) });
    });
  }

  function asked(options, kind) {
    options.challenge = bytes(options.challenge);
    if (kind === "create") {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = described(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = described(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  function answer(credential) {
    var response = { clientDataJSON: text(credential.response.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (credential.response[name]) {
        response[name] = text(credential.response[name]);
      }
    });
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: response,
      clientExtensionResults: {}
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-passkey]");
    if (!button || button.disabled) {
      return;
    }
    var form = button.form;
    var problem = form.querySelector("[data-passkey-problem]");
    problem.hidden = true;
    button.disabled = true;
    asked(JSON.parse(button.dataset.options), button.dataset.passkey).then(function (credential) {
      form.elements.assertion.value = answer(credential);
      if (form.elements.code) {
        form.elements.code.required = false;
      }
      button.disabled = false;
      var sends = form.querySelector("[data-signs]") ||
        form.querySelector("button:not([type=button])");
      form.requestSubmit(sends || undefined);
    }).catch(function () {
      button.disabled = false;
      problem.hidden = false;
    });
  });

  document.querySelectorAll("[data-needs-passkeys]").forEach(function (part) {
    part.hidden = false;
  });
})();
