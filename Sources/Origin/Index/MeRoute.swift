package import Hummingbird
import NIOCore
import Registry

/// `GET /{repository}/me` and `/me`: where cargo's login message sends people. Static HTML, no scripts.
///
/// Says nothing about the repository but its name, so it needs no token and asks no database.
package struct MeRoute: Sendable {
    let addresses: PublicAddresses

    package init(addresses: PublicAddresses) { self.addresses = addresses }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/me") { _, _ in page(nil) }
        router.get("/:repository/me") { _, context in
            guard let text = context.parameters.get("repository"), let name = try? RepositoryName(text) else {
                throw Refusal.unknownAddress
            }
            return page(name)
        }
    }

    private func page(_ repository: RepositoryName?) -> Response {
        let name = repository?.description ?? "NAME"
        let index = repository.map(addresses.index) ?? "\(addresses.base)/NAME/index/"
        let headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
            .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'", .xContentTypeOptions: "nosniff",
        ]
        let html = Self.html(name: name.escapedForHTML, index: index.escapedForHTML)
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    private static func html(name: String, index: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>Log in to \(name)</title>
        <style>body{font:1rem/1.5 sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}\
        pre{background:#eee;padding:.8rem;overflow:auto}</style></head><body>
        <h1>Log in to \(name)</h1>
        <p>1. Ask an administrator of this registry for a token. They make one with</p>
        <pre>longshore-origin token create --login YOU --repository \(name)</pre>
        <p>2. Tell cargo of the registry, in <code>~/.cargo/config.toml</code>:</p>
        <pre>[registries.\(name)]
        index = "sparse+\(index)"

        [registry]
        global-credential-providers = ["cargo:token"]</pre>
        <p>3. Give cargo the token; it asks for it:</p>
        <pre>cargo login --registry \(name)</pre>
        </body></html>

        """
    }
}

extension String {
    /// The five characters that mean something in HTML become references.
    var escapedForHTML: String {
        reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.append(character)
            }
        }
    }
}
