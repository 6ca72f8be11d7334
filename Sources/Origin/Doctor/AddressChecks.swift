import Registry

/// What `config.json` says, held against the URL that clients use. Pure.
enum AddressChecks {
    private static let setting = "start the origin with --public-url (LONGSHORE_PUBLIC_URL)"

    /// - Returns: nil if the text is no URL that cargo takes.
    static func url(_ text: String) -> (plain: String, finding: Finding)? {
        let plain = text.hasPrefix("sparse+") ? String(text.dropFirst("sparse+".count)) : text
        guard let place = WebPlace(plain), !plain.contains("?"), !plain.contains("#") else { return nil }
        if place.hasCredentials {
            return (
                plain,
                .problem(
                    .url, "the URL holds a user name or a password; cargo refuses it",
                    "take it out; cargo sends the token of `cargo login`")
            )
        }
        guard plain.hasSuffix("/") else {
            return (
                plain + "/",
                .problem(
                    .url, "the URL does not end in `/`; cargo says `sparse registry url must end in a slash`",
                    "write index = \"sparse+\(plain)/\"")
            )
        }
        return (plain, .ok(.url, "index = \"sparse+\(plain)\""))
    }

    /// - Parameters:
    ///   - dl: as `config.json` has it.
    ///   - api: likewise; nil if it is absent.
    ///   - edge: the name of the edge that answered, if it was one: its `dl` is its own, its `api` the origin's.
    static func compare(index: WebPlace, dl: String, api: String?, edge: String? = nil) -> [Finding] {
        // `…/main/index/` is served beside `…/main/api` and `…/main/crates`.
        let base = index.path.hasSuffix("/index/") ? String(index.path.dropLast("/index/".count)) : nil
        let server = edge == nil ? "origin" : "edge"
        var findings = address("dl", dl, index, base, of: server)
        if let api {
            findings += address("api", api, index, base, of: "origin", mayBeElsewhere: edge != nil)
            if api.hasSuffix("/") {
                findings.append(
                    .problem(
                        .addresses, "`api` ends in `/`: cargo asks for \(api)/api/v1/… with two slashes",
                        "\(setting) without a final slash"))
            }
        } else {
            findings.append(
                .warning(
                    .addresses, "there is no `api`: `cargo publish`, `yank`, `owner` and `search` say so",
                    "if that is not meant, is this a Longshore index?"))
        }
        if findings.isEmpty {
            let reader = edge.map { "read through edge \($0); " } ?? ""
            findings.append(.ok(.addresses, "\(reader)dl \(dl), api \(api ?? "none")"))
        }
        return findings
    }

    /// - Parameters:
    ///   - server: the program whose setting it is.
    ///   - mayBeElsewhere: another host, port and path are as they should be.
    private static func address(
        _ key: String, _ text: String, _ index: WebPlace, _ base: String?, of server: String,
        mayBeElsewhere: Bool = false
    ) -> [Finding] {
        let path = base.map { String($0.dropLast(lastPart(of: $0))) } ?? ""
        let wanted =
            mayBeElsewhere
            ? "start the origin with the --public-url that its clients use"
            : "start the \(server) with --public-url \(index.origin)\(path)"
        guard let place = WebPlace(text) else {
            return [.problem(.addresses, "`\(key)` is no absolute http or https address: \(text)", wanted)]
        }
        if place.hasCredentials {
            return [.problem(.addresses, "`\(key)` holds a user name or a password, for all to read", wanted)]
        }
        if place.isLoopback, !index.isLoopback {
            return [
                .problem(.addresses, "`\(key)` leads to \(place.origin), which is each client's own machine", wanted)
            ]
        }
        if place.scheme == "http", index.scheme == "https" {
            return [
                .problem(
                    .addresses,
                    "`\(key)` is http, though the index is https: tokens and crates would travel in the clear",
                    wanted)
            ]
        }
        if mayBeElsewhere { return [] }
        guard place.host == index.host else {
            return [
                .warning(
                    .addresses, "`\(key)` leads to another host, \(place.host); cargo sends tokens there too",
                    key == "dl"
                        ? "fine if a download host (--download-url) is meant; else \(wanted)"
                        : "fine if the API is meant to be there; else \(wanted)")
            ]
        }
        if place.port != index.port {
            return [.problem(.addresses, "`\(key)` has port \(place.port), the index has \(index.port)", wanted)]
        }
        if let base, !base.isEmpty, place.path != base, !place.path.hasPrefix(base + "/") {
            return [
                .problem(
                    .addresses,
                    "`\(key)` has the path \(place.path), though the index is below \(base): a part is missing",
                    wanted)
            ]
        }
        return []
    }

    /// The length of the repository's name with its slash at the end of `/crates/main`.
    private static func lastPart(of path: String) -> Int {
        path.lastIndex(of: "/").map { path.distance(from: $0, to: path.endIndex) } ?? 0
    }
}
