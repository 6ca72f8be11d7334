import Hosting
import Registry

/// Looks at one repository from outside, as cargo would, and says what a client will see.
///
/// The checks build on each other: without a readable `config.json` the others are left out.
struct Doctor: Sendable {
    let client: DoctorClient
    /// Of the upload that is announced, in bytes.
    let uploadBytes: Int
    /// The crate to look at; nil: the first that search finds.
    let crate: CrateName?
    /// Seconds since 1970.
    let now: @Sendable () -> Double
    let tell: @Sendable (Finding) -> Void

    /// - Parameter text: the index URL as it stands in a cargo configuration.
    func examine(_ text: String) async {
        guard let (plain, finding) = AddressChecks.url(text), let place = WebPlace(plain) else {
            return tell(
                .problem(
                    .url, "`\(text)` is no address of a sparse index",
                    "give it as cargo has it: sparse+https://HOST/REPOSITORY/index/"))
        }
        tell(finding)
        guard let seen = await config(plain) else { return }
        let addresses = AddressChecks.compare(index: place, dl: seen.dl, api: seen.api, edge: seen.edge)
        for finding in addresses { tell(finding) }
        let site = DoctorSite(
            index: plain, place: place, dl: DownloadTemplate(text: seen.dl), api: seen.api,
            isAuthorized: seen.isPrivate)
        if let api = site.api { await attempt(.api) { try await unknownAddress(api) } }
        await ReadChecks(client: client, site: site, crate: crate, tell: tell).run()
        await attempt(.http2) { try await http2(site) }
        if let api = site.api { await attempt(.upload) { try await upload(api) } }
        await attempt(.latency) { try await latency(site) }
    }

    private struct Config {
        let dl: String
        let api: String?
        let isPrivate: Bool
        /// The name of the edge that answered; nil if it was none.
        let edge: String?
    }

    private func config(_ index: String) async -> Config? {
        let url = index + "config.json"
        do {
            let anonymous = try await client.get(url)
            clock(anonymous)
            guard anonymous.status == 401 else { return read(anonymous, url, isPrivate: false) }
            challenge(anonymous)
            guard client.token != nil else {
                tell(
                    .warning(
                        .config, "the repository is private, so the rest was not looked at",
                        "set LONGSHORE_TOKEN to a token that may read it"))
                return nil
            }
            return read(try await client.get(url, isAuthorized: true), url, isPrivate: true)
        } catch {
            tell(
                .problem(
                    .config, "\(url) cannot be reached: \(Explanation.of(error))",
                    "check the address, the certificate, and that proxy and origin run"))
            return nil
        }
    }

    private func read(_ answer: DoctorClient.Answer, _ url: String, isPrivate: Bool) -> Config? {
        guard answer.status == 200 else {
            tell(.problem(.config, "\(url) answers \(answer.status): \(excerpt(answer.text))", Self.remedy(answer)))
            return nil
        }
        guard let object = (try? JSONValue(parsing: answer.body))?.object, let dl = object["dl"]?.string else {
            tell(
                .problem(
                    .config, "\(url) is no JSON object with a `dl`: \(excerpt(answer.text))",
                    "another program answers here: check the proxy's rule for this path"))
            return nil
        }
        let isRequired = object["auth-required"]?.bool ?? false
        if isPrivate, !isRequired {
            tell(
                .problem(
                    .login, "401 without a token, but `auth-required` is not true: cargo asks for crates without one",
                    "the proxy asks for a password of its own? Leave that to the registry (repository set --private)"))
        }
        tell(.ok(.config, "readable, \(answer.body.count) bytes\(isRequired ? ", auth-required" : "")"))
        return Config(
            dl: dl, api: object["api"]?.string, isPrivate: isPrivate || isRequired,
            edge: answer.header("x-cache") == nil ? nil : answer.header("x-served-by"))
    }

    private static func remedy(_ answer: DoctorClient.Answer) -> String {
        switch answer.status {
        case 300...399:
            "it leads to \(answer.header("location") ?? "nowhere"); use that URL, since a redirect costs each request twice"
        case 403: "the token may not read this repository, or the proxy refuses the path"
        case 404: "check the repository's name and the path that the proxy strips; it ends in /REPOSITORY/index/"
        case 502, 503, 504: "the proxy does not reach the origin: is it running, and where the proxy looks?"
        default: "only 200 will do for cargo"
        }
    }

    private func challenge(_ answer: DoctorClient.Answer) {
        let challenges = answer.all("www-authenticate")
        guard let own = challenges.first(where: { $0.lowercased().contains("cargo ") }),
            let start = own.firstRange(of: "login_url=\"")
        else {
            return tell(
                .problem(
                    .login, "401 without `WWW-Authenticate: Cargo login_url=…`: \(challenges.joined(separator: ", "))",
                    "let the proxy pass the header on, and ask for no password of its own"))
        }
        let login = String(own[start.upperBound...].prefix { $0 != "\"" })
        guard WebPlace(login) != nil else {
            return tell(
                .problem(
                    .login, "`login_url` is not absolute: `\(login)`; cargo stops with `invalid url`",
                    "start the origin with --public-url (LONGSHORE_PUBLIC_URL)"))
        }
        tell(.ok(.login, "401 without a token; login_url \(login)"))
    }

    private func clock(_ answer: DoctorClient.Answer) {
        guard let text = answer.header("date"), let theirs = HTTPTime.seconds(text) else {
            return tell(
                .warning(.clock, "no readable `Date` header came", "let the proxy pass it on, or set its own"))
        }
        // The header has whole seconds, and the answer took its time.
        let skew = Int((now() - Double(theirs)).rounded(.down))
        switch abs(skew) {
        case 0...5: tell(.ok(.clock, "within \(max(1, abs(skew))) s of ours"))
        case ...30: tell(.ok(.clock, "\(abs(skew)) s \(skew > 0 ? "behind" : "ahead of") ours"))
        default:
            let text =
                "\(abs(skew)) s \(skew > 0 ? "behind" : "ahead of") ours; tokens and signed URLs end by the clock"
            let advice = "run a time service (chrony, systemd-timesyncd) there and here"
            tell(abs(skew) > 300 ? .problem(.clock, text, advice) : .warning(.clock, text, advice))
        }
    }

    private func unknownAddress(_ api: String) async throws {
        let url = api + "/api/v1/longshore-doctor"
        let answer = try await client.get(url, [("accept", "application/json")], isAuthorized: true)
        guard Self.isOurs(answer) else {
            return tell(
                .problem(
                    .api, "\(url) answers \(answer.status) \(answer.type): \(excerpt(answer.text))",
                    "another program answers there: send every path below the repository to the origin, errors included"
                ))
        }
        tell(.ok(.api, "answers in JSON below \(api)"))
    }

    /// Whether an error has the form that cargo shows to people.
    static func isOurs(_ answer: DoctorClient.Answer) -> Bool {
        (try? JSONValue(parsing: answer.body))?.object?["errors"]?.array != nil
    }

    private func http2(_ site: DoctorSite) async throws {
        if site.place.scheme == "https" {
            let answer = try await client.get(site.index + "config.json", isAuthorized: site.isAuthorized)
            guard answer.isHTTP2 else {
                return tell(
                    .warning(
                        .http2, "HTTP/1.1 only: cargo asks nearly one by one, some seconds for a large build",
                        "nginx: `http2 on;` in the server block; HAProxy: `alpn h2,http/1.1`"))
            }
            return tell(.ok(.http2, "negotiated by ALPN"))
        }
        let status = try await UpgradeProbe.status(
            host: site.place.host, port: site.place.port, path: site.place.path + "config.json")
        switch status {
        case 101: tell(.ok(.http2, "the upgrade on plain HTTP (h2c) is granted"))
        case .some(let status) where status < 500:
            tell(
                .warning(
                    .http2, "plain HTTP, and the upgrade (h2c) is not granted: cargo asks nearly one by one",
                    "let builds read through an edge, or put TLS with HTTP/2 before the origin"))
        default:
            tell(
                .problem(
                    .http2,
                    "asked for the h2c upgrade, as cargo asks, it \(status.map { "answers \($0)" } ?? "says nothing")",
                    "the proxy must not pass `Upgrade` and `HTTP2-Settings` on to the origin (nginx: set neither)"))
        }
    }

    private func upload(_ api: String) async throws {
        let size = "\(uploadBytes >> 20) MiB"
        let answer: DoctorClient.Answer
        do {
            answer = try await client.announceUpload(api + "/api/v1/crates/new", bytes: uploadBytes)
        } catch {
            return tell(
                .warning(
                    .upload, "an upload of \(size) was not answered before its body: \(Explanation.of(error))",
                    "the proxy takes whole uploads before it asks the origin; nginx: `proxy_request_buffering off;`"))
        }
        if Self.isOurs(answer) {
            return tell(
                .ok(.upload, "an upload of \(size) reaches the registry, which answers \(answer.status) in JSON"))
        }
        let advice =
            "raise the proxy's limit above the registry's (nginx: `client_max_body_size \(uploadBytes >> 20 + 8)m;`)"
        tell(
            .problem(
                .upload,
                "an upload of \(size) is answered \(answer.status) \(answer.type) by somebody else: "
                    + excerpt(answer.text),
                answer.status == 413 ? advice : "let PUT through to the origin, with the errors that it answers"))
    }

    private func latency(_ site: DoctorSite) async throws {
        var times: [Double] = []
        for _ in 0..<5 {
            times.append(
                try await client.get(site.index + "config.json", isAuthorized: site.isAuthorized).seconds * 1_000)
        }
        times.sort()
        let text = "5 requests: median \(Amount.decimal(times[2])) ms, slowest \(Amount.decimal(times[4])) ms"
        if times[2] > 500 {
            tell(
                .warning(
                    .latency, text, "cargo waits so long for each level of dependencies: run an edge near the builds"))
        } else {
            tell(.ok(.latency, text))
        }
    }

    /// A check that can't even ask is a problem of its own.
    private func attempt(_ check: Check, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            tell(.problem(check, "no answer: \(Explanation.of(error))", "check the proxy's log for this moment"))
        }
    }
}

/// What the checks know of the repository by then.
struct DoctorSite: Sendable {
    /// The index URL, with its final slash and without `sparse+`.
    let index: String
    let place: WebPlace
    let dl: DownloadTemplate
    /// Nil too if it is no absolute address.
    let api: String?
    /// Reads need the token.
    let isAuthorized: Bool

    init(index: String, place: WebPlace, dl: DownloadTemplate, api: String?, isAuthorized: Bool) {
        self.index = index
        self.place = place
        self.dl = dl
        self.api = api.flatMap { text in
            var text = text[...]
            while text.last == "/" { text.removeLast() }
            return WebPlace(String(text)) == nil ? nil : String(text)
        }
        self.isAuthorized = isAuthorized
    }
}

/// The beginning of an answer as one line.
func excerpt(_ text: String) -> String {
    let line = text.unicodeScalars.prefix(100).map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
    return line.isEmpty ? "(empty)" : "`\(line)`"
}
