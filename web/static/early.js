// Before anything is shown: what is only there with, or only without, scripts would jump otherwise.
"use strict";

document.documentElement.classList.add("script");
