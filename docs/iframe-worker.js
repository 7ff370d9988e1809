// A page that is read from a folder may not start a worker, and the search is one: it runs in a frame that nobody sees.
// (The name is what the plugin `offline` looks for; without it, it would fetch a script of others from the network.)
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = Object.assign(document.createElement("iframe"), { hidden: true, srcdoc: "<body></body>" })
      this.inside = new Promise(done => {
        frame.onload = () => {
          const inside = frame.contentWindow
          inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
          const script = Object.assign(inside.document.createElement("script"), { src: url, onload: () => done(inside) })
          inside.document.body.append(script)
        }
      })
      document.body.append(frame)
    }

    postMessage(data) {
      this.inside.then(inside => inside.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {}
  }
