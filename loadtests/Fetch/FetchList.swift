import FoundationEssentials

/// What is downloaded, and how: crates of a lock file, or paths of a list.
struct FetchList: Sendable {
    let lock: String?
    let paths: String?
    let speech: WireTarget.Speech?
    let caFile: String?

    /// - Parameter url: of an index, or with paths of a server.
    /// - Throws: `BenchFailure` that names what can't be used.
    func maker(_ url: String, _ token: String?) async throws -> FetchMaker {
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
