/** Of the program, its images and its chart; `package.json` says the same (a test compares them). */
export const version = "1.0.0-alpha.1"
