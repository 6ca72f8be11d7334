import CrateFile
import Crypto
import Hosting
import Registry

/// Index files and crate files as cargo reads them.
struct ReadChecks: Sendable {
    private static let absent = "longshore-doctor-absent"

    let client: DoctorClient
    let site: DoctorSite
    let crate: CrateName?
    let tell: @Sendable (Finding) -> Void

    func run() async {
        await attempt(.absence) { try await absence() }
        var found: (name: CrateName, line: IndexLine)?
        await attempt(.index) {
            guard let name = try await someCrate() else {
                return tell(
                    .warning(
                        .index, "no crate was found to look at, so index, compression and download were left out",
                        "publish one, or name one with --crate"))
            }
            found = try await index(name)
        }
        guard let found else { return }
        await attempt(.compression) { try await compression(found.name) }
        await attempt(.download) { try await download(found.line) }
    }

    private func get(_ url: String, _ headers: [(String, String)] = []) async throws -> DoctorClient.Answer {
        try await client.get(url, headers, isAuthorized: site.isAuthorized)
    }

    private func someCrate() async throws -> CrateName? {
        if let crate { return crate }
        guard let api = site.api else { return nil }
        let answer = try await get(api + "/api/v1/crates?q=&per_page=1")
        let first = (try? JSONValue(parsing: answer.body))?.object?["crates"]?.array?.first
        return (first?.object?["name"]?.string).flatMap { try? CrateName($0) }
    }

    private func absence() async throws {
        guard let name = try? CrateName(Self.absent) else { preconditionFailure("the constant is a name") }
        let answer = try await get(site.index + name.indexPath.description)
        guard answer.status == 404 else {
            return tell(
                .problem(
                    .absence, "a crate that does not exist is answered \(answer.status), not 404",
                    "the proxy must pass 404 on as it is, without a page or a redirect of its own"))
        }
        let lifetime = answer.header("cache-control") ?? ""
        guard lifetime.lowercased().contains("no-store") else {
            return tell(
                .problem(
                    .absence, "404 with `cache-control: \(lifetime)`: a cache may remember it and hide a new crate",
                    "let the proxy pass `cache-control: no-store` on, and let it cache no 404"))
        }
        guard answer.type == "text/plain", answer.body.count <= 512 else {
            return tell(
                .warning(
                    .absence, "404 as \(answer.type), \(answer.body.count) bytes: a page of the proxy's own",
                    "let the origin's answer through (nginx: no `error_page`, no `proxy_intercept_errors`)"))
        }
        tell(.ok(.absence, "404 as text, no-store"))
    }

    /// - Returns: the crate's last version, for the download.
    private func index(_ name: CrateName) async throws -> (CrateName, IndexLine)? {
        let url = site.index + name.indexPath.description
        let answer = try await get(url)
        guard answer.status == 200 else {
            tell(
                .problem(
                    .index, "\(url) answers \(answer.status): \(excerpt(answer.text))",
                    "only 200, 304 and 404 will do for cargo; check the proxy's rule for this path"))
            return nil
        }
        let lines = answer.body.split(separator: UInt8(ascii: "\n")).map { try? IndexLine(parsing: Array($0)) }
        guard let last = lines.last, let line = last, lines.allSatisfy({ $0 != nil }) else {
            tell(
                .problem(
                    .index, "\(url) has a line that cargo would drop",
                    "run `longshore-origin verify`; if it is clean, the proxy changes the content"))
            return nil
        }
        if let finding = try await validators(url, answer) {
            tell(finding)
        } else {
            tell(.ok(.index, "\(name.spelling): \(Amount.of(lines.count, "version")), ETag, 304 for strong and weak"))
        }
        return (name, line)
    }

    private func validators(_ url: String, _ answer: DoctorClient.Answer) async throws -> Finding? {
        let tags = answer.all("etag")
        guard tags.count == 1, let tag = tags.first, !tag.isEmpty else {
            return .problem(
                .index,
                "\(url) has \(tags.isEmpty ? "no ETag" : "\(tags.count) ETags"): cargo fetches it whole each time",
                "let the origin's ETag through, one only (nginx: no `etag off`, no `add_header ETag`)")
        }
        let strong = tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
        for spelling in [tag, strong, "W/" + strong] {
            let again = try await get(url, [("if-none-match", spelling)])
            guard again.status == 304 else {
                return .problem(
                    .index, "`If-None-Match: \(spelling)` is answered \(again.status), not 304",
                    "pass the header on as it came; a cache in between must compare tags weakly")
            }
        }
        guard EntityTag(parsing: tag) != nil else {
            return .warning(
                .index,
                "the ETag \(tag) is not the registry's own; edges can't tell from it how new a client's copy is",
                "let the origin's ETag through; a proxy that compresses should make it weak (W/), not replace it")
        }
        return nil
    }

    /// Below this an index file fits one packet, compressed or not; an edge leaves it as it is.
    private static let compressedBytesMin = 512

    private func compression(_ name: CrateName) async throws {
        let url = site.index + name.indexPath.description
        let plain = try await get(url, [("accept-encoding", "identity")])
        if let encoding = plain.header("content-encoding"), encoding != "identity" {
            return tell(
                .problem(
                    .compression, "index files come as `\(encoding)` even to clients that did not ask for it",
                    "compress only what `Accept-Encoding` allows, with `Vary: Accept-Encoding`"))
        }
        let packed = try await get(url, [("accept-encoding", "gzip")])
        switch packed.header("content-encoding")?.lowercased() {
        case nil,
            "identity" where plain.body.count < Self.compressedBytesMin:
            tell(.ok(.compression, "\(Amount.bytes(plain.body.count)) uncompressed: too small to gain by it"))
        case nil, "identity":
            tell(
                .warning(
                    .compression, "index files come uncompressed (\(Amount.bytes(plain.body.count)))",
                    "let builds read through an edge, or compress in the proxy (nginx: `gzip on; gzip_types text/plain; gzip_vary on;`)"
                ))
        case "gzip":
            guard try Self.unpacked(packed.body) == plain.body else {
                return tell(
                    .problem(
                        .compression, "the gzip form of an index file unpacks to something else than the plain form",
                        "switch compression off in the proxy, or empty its cache"))
            }
            guard packed.all("vary").joined(separator: ",").lowercased().contains("accept-encoding") else {
                return tell(
                    .problem(
                        .compression,
                        "gzip without `Vary: Accept-Encoding`: a cache may send it to those who can't read it",
                        "nginx: `gzip_vary on;`"))
            }
            tell(
                .ok(.compression, "gzip: \(Amount.bytes(plain.body.count)) as \(Amount.bytes(packed.body.count))"))
        case .some(let other):
            tell(
                .problem(
                    .compression, "asked for gzip, `\(other)` came: cargo gives up",
                    "compress only with what `Accept-Encoding` allows"))
        }
    }

    private func download(_ line: IndexLine) async throws {
        let url = site.dl.url(line.name, line.version, line.checksum)
        let answer = try await get(url, [("accept-encoding", "deflate, gzip")])
        guard answer.status == 200 else {
            if (300...399).contains(answer.status) {
                // Whoever has a signed URL can use it, and what we say is copied into tickets.
                let place = Redaction.mask(answer.header("location") ?? "nowhere")
                return tell(.ok(.download, "\(url) leads to \(place)"))
            }
            return tell(
                .problem(
                    .download, "\(url) answers \(answer.status): \(excerpt(answer.text))",
                    "check `dl` in config.json (--download-url, --public-url) and the proxy's rule for this path"))
        }
        if let encoding = answer.header("content-encoding"), encoding != "identity" {
            return tell(
                .problem(
                    .download,
                    "a crate file comes with `Content-Encoding: \(encoding)`: cargo unpacks it and its checksum fails",
                    "never compress or label .crate files (nginx: no application/gzip in `gzip_types`, no `gzip_static`)"
                ))
        }
        guard Checksum(bytes: SHA256.hash(data: answer.body)) == line.checksum else {
            return tell(
                .problem(
                    .download,
                    "the file of \(line.name.spelling) \(line.version) has another SHA-256 than the index says",
                    "run `longshore-origin verify`; if it is clean, a cache in between is damaged: empty it"))
        }
        tell(.ok(.download, "\(line.name.spelling) \(line.version), \(Amount.bytes(answer.body.count)), SHA-256 right"))
    }

    private static func unpacked(_ bytes: [UInt8]) throws -> [UInt8]? {
        guard let gunzip = try? Gunzip(BytesSource(bytes), unpackedBytesMax: DoctorClient.bodyBytesMax) else {
            return nil
        }
        var unpacked: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        // What can't be unpacked differs from anything.
        while let count = try? gunzip.read(into: buffer) {
            if count == 0 { return unpacked }
            unpacked += buffer[..<count]
        }
        return nil
    }

    private func attempt(_ check: Check, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            tell(.problem(check, "no answer: \(Explanation.of(error))", "check the proxy's log for this moment"))
        }
    }
}
