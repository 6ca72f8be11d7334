import FoundationEssentials
import NIOCore
import Registry

/// What `requests` asks for: the same list for both sides of a comparison.
struct RequestSource: Sendable {
    static let pathsMax = 200_000
    private static let askedAtOnceMax = 2_000

    /// Below the server's address.
    let paths: [String]
    var acceptsGzip = false
    var token: String?

    /// - Parameters:
    ///   - file: one path a line, `/index/se/rd/serde`; empty lines and those with `#` at the front are skipped.
    ///   - crates: instead of it, names of crates, whose index files are asked for.
    /// - Throws: `BenchFailure` for a line that is no path or name.
    init(file: String?, crates: String?) throws(BenchFailure) {
        guard let source = file ?? crates, let text = try? String(contentsOfFile: source, encoding: .utf8) else {
            throw BenchFailure("\(file ?? crates ?? "the list") can't be read; check --paths or --crates")
        }
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }.map(String.init)
        guard (1...Self.pathsMax).contains(lines.count) else {
            throw BenchFailure("\(source) has \(lines.count) lines; 1 to \(Self.pathsMax) can be asked for")
        }
        var paths: [String] = []
        for line in lines { paths.append(file == nil ? try Self.indexPath(line) : try Self.plainPath(line)) }
        self.paths = paths
    }

    private static func plainPath(_ line: String) throws(BenchFailure) -> String {
        guard line.hasPrefix("/"), line.utf8.count <= 4_096, line.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw BenchFailure(
                "`\(line.prefix(80))` is no path: each line of --paths begins with a slash, without blanks")
        }
        return line
    }

    private static func indexPath(_ line: String) throws(BenchFailure) -> String {
        do { return "/\(try CrateName(line).indexPath)" } catch {
            throw BenchFailure("`\(line.prefix(80))` in --crates: \(error)")
        }
    }

    /// - Parameter tag: what is already known of the path.
    func request(_ path: String, below base: WebBase, knowing tag: String? = nil) -> WireRequest {
        var fields = [(name: "user-agent", value: "longshore-bench"), (name: "accept", value: "*/*")]
        if acceptsGzip { fields.append(("accept-encoding", "gzip")) }
        if let tag { fields.append(("if-none-match", tag)) }
        if let token { fields.append(("authorization", token)) }
        return WireRequest(path: (base.path == "/" ? "" : base.path) + path, fields: fields)
    }

    func requests(below base: WebBase) -> [WireRequest] { paths.map { request($0, below: base) } }

    /// Asks for each path once and learns its tag.
    ///
    /// - Throws: `BenchFailure` if an answer has none.
    func requestsThatKnow(_ base: WebBase, through client: WireClient) async throws(BenchFailure) -> [WireRequest] {
        var known: [WireRequest] = []
        for start in stride(from: 0, to: paths.count, by: Self.askedAtOnceMax) {
            let part = paths[start..<min(start + Self.askedAtOnceMax, paths.count)]
            let outcomes = await client.burst(part.map { request($0, below: base) })
            for (path, outcome) in zip(part, outcomes) {
                switch outcome {
                case .success(let answer):
                    guard answer.status == 200, let tag = answer.field("etag") else {
                        throw BenchFailure("\(path) was answered \(answer.status) without an ETag; --known needs one")
                    }
                    known.append(request(path, below: base, knowing: tag))
                case .failure(let failure): throw BenchFailure("\(path) has no answer: \(failure.kind)")
                }
            }
        }
        return known
    }
}
