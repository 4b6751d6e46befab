/* Dark is what a person begins with; the switch at the top keeps their own choice in this browser. */
if (window.localStorage.getItem("adminTheme") === null) {
    window.localStorage.setItem("adminTheme", JSON.stringify("dark"));
}
