import ArgumentParser
import FoundationEssentials

/// `longshore-bench fetch`: crate downloads, all at once as cargo does them.
struct FetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Downloads the crates of a lock file all at once, as cargo does, and checks their SHA-256.",
        discussion: """
            A session is one cargo: new connections, two at most, and all crates asked for at once. Its latency
            is the time to the last crate; `crate` is that of each download.

              longshore-bench fetch https://eu.registry.example/main/index/ --lock Cargo.lock --users 4
              longshore-bench fetch http://127.0.0.1:8080 --paths crates.txt --duration 30s --html fetch.html

            With --lock the address is an index, whose config.json says where crates lie; with --paths it is what
            the paths lie below. Redirects are not followed: they count as errors.
            """)

    @Argument(help: "The index's address, or with --paths a server's.") var url: String
    @Option(help: ArgumentHelp("A Cargo.lock.", valueName: "file")) var lock: String?
    @Option(help: ArgumentHelp("Instead: a path a line, and its SHA-256 if known.", valueName: "file"))
    var paths: String?
    @Option(help: "What is spoken: h2 (over TLS by ALPN), h2c (HTTP/1.1 with an upgrade), h1.")
    var speech = WireTarget.Speech.http2
    @Option(help: ArgumentHelp("A token for each request.", valueName: "file")) var tokenFile: String?
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "file")) var caFile: String?
    @OptionGroup var load: LoadOptions

    func validate() throws {
        guard (lock == nil) != (paths == nil) else { throw ValidationError("give one of --lock and --paths") }
    }

    func run() async throws {
        let token = try tokenFile.map { path throws(BenchFailure) in
            try SecretText.read(path, flag: "--token-file")
        }
        try OpenFiles.allow(2 * max(load.users ?? 1, load.rate == nil ? 1 : load.inFlightMax) + 64)
        let settings = [("speech", speech.rawValue), ("list", lock ?? paths ?? ""), ("token", "\(token != nil)")]
        try await LoadRun("fetch", options: load, settings: settings).measure(url) { url in
            try await maker(url, token)
        }
    }

    private func maker(_ url: String, _ token: String?) async throws -> FetchMaker {
        guard let base = WebBase(url) else {
            throw BenchFailure("`\(url)` is no plain URL: give an address such as https://registry.example/main/index/")
        }
        guard let lock else {
            let target = WireTarget(base, speech)
            let items = try Self.items(try Self.text(paths ?? "", "--paths"), below: base)
            return FetchMaker(target: target, tls: try target.tls(caFile: caFile), items: items, token: token)
        }
        let crates = try LockedCrates(try Self.text(lock, "--lock")).crates
        let template = try await template(base, token)
        let places = crates.map { (template.url($0), $0.sha256) }
        guard let first = places.first.flatMap({ WebBase($0.0) }) else {
            throw BenchFailure("`dl` of \(base.url)/config.json is no plain URL: \(template.text)")
        }
        let target = WireTarget(first, speech)
        let items = try places.map { place throws(BenchFailure) in
            guard let url = WebBase(place.0), WireTarget(url, speech) == target else {
                throw BenchFailure("crates lie on several servers (\(place.0)); only one can be measured")
            }
            return FetchItem(path: url.path, sha256: place.1)
        }
        return FetchMaker(target: target, tls: try target.tls(caFile: caFile), items: items, token: token)
    }

    private func template(_ base: WebBase, _ token: String?) async throws -> DownloadTemplate {
        struct Configuration: Decodable { let dl: String }
        let page = try await Web.with(tls: try Trust.configuration(caFile: caFile)) { web in
            try await web.get(base.url + "/config.json", token: token)
        }
        guard page.status == 200,
            let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(page.text.utf8))
        else {
            throw BenchFailure("\(base.url)/config.json was answered \(page.status) and has no `dl`; is it an index?")
        }
        return DownloadTemplate(text: configuration.dl)
    }

    private static func text(_ path: String, _ flag: String) throws(BenchFailure) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw BenchFailure("\(path) can't be read; check \(flag)")
        }
        return text
    }

    /// `/crates/serde-1.0.0.crate 64-hex-digits`
    static func items(_ text: String, below base: WebBase) throws(BenchFailure) -> [FetchItem] {
        var items: [FetchItem] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard let path = words.first, path.hasPrefix("/"), words.count <= 2,
                words.count == 1 || words[1].count == 64
            else { throw BenchFailure("`\(line.prefix(80))` is no path with a SHA-256; check --paths") }
            items.append(
                FetchItem(
                    path: (base.path == "/" ? "" : base.path) + path,
                    sha256: words.count == 2 ? words[1].lowercased() : nil))
        }
        guard (1...LockedCrates.cratesMax).contains(items.count) else {
            throw BenchFailure("--paths has \(items.count) lines; 1 to \(LockedCrates.cratesMax) can be fetched")
        }
        return items
    }
}
