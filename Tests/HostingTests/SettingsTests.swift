import Testing

@testable import Hosting

struct SettingsTests {
    static let table = [
        Setting("upload-bytes-max", .bytes(1...(1 << 30)), default: "64MiB", "largest upload"),
        Setting("feed-silence-max", .duration(.milliseconds(100) ... .seconds(3600)), default: "5s", "trust"),
        Setting("threads", .integer(1...64), default: "4", "threads"),
        Setting("check", .boolean, default: "false", "check"),
        Setting("public-url", .url, "address that clients use"),
        Setting("address", .address, default: "127.0.0.1:8080", "where to listen"),
        Setting("offline", .choice(["serve-stale", "refuse"]), default: "serve-stale", "rule"),
        Setting("database-url", .secret, "database", environmentAlias: "DATABASE_URL"),
    ]

    private func settings(
        _ flags: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
    ) throws(SettingsProblem) -> Settings {
        try Settings(Self.table, flags: flags, environment: environment) { path in
            guard let text = files[path] else { throw NoFile() }
            return text
        }
    }

    private struct NoFile: Error {}

    private func problem(
        _ flags: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
    ) -> String {
        do throws(SettingsProblem) {
            _ = try settings(flags, environment: environment, files: files)
            return "no problem"
        } catch {
            return error.description
        }
    }

    @Test func `without anything given the defaults are in force`() throws {
        let settings = try settings()
        #expect(settings.integer("upload-bytes-max") == 64 << 20)
        #expect(settings.duration("feed-silence-max") == .seconds(5))
        #expect(settings.integer("threads") == 4)
        #expect(settings.boolean("check") == false)
        #expect(settings.address("address") == SocketAddressText(host: "127.0.0.1", port: 8080))
        #expect(settings.optionalText("public-url") == nil)
        #expect(settings.source(of: "threads") == .standard)
    }

    @Test func `flags win over the environment, that over the file, that over the default`() throws {
        let files = ["/s.json": #"{"threads": 9, "upload-bytes-max": "1KiB", "check": true}"#]
        let environment = ["LONGSHORE_CONFIG": "/s.json", "LONGSHORE_THREADS": "8"]
        let one = try settings(["--threads", "7"], environment: environment, files: files)
        #expect(one.integer("threads") == 7)
        #expect(one.source(of: "threads") == .flag)
        let two = try settings(environment: environment, files: files)
        #expect(two.integer("threads") == 8)
        #expect(two.source(of: "threads") == .environment("LONGSHORE_THREADS"))
        let three = try settings(["--config", "/s.json"], files: files)
        #expect(three.integer("threads") == 9)
        #expect(three.source(of: "threads") == .file("/s.json"))
        #expect(three.integer("upload-bytes-max") == 1024)
        #expect(three.boolean("check"))
    }

    @Test(arguments: [
        (["--check"], true), (["--no-check"], false), (["--check=true"], true), (["--check", "false"], false),
        (["--check", "--threads", "2"], true),
    ])
    func `a boolean flag needs no value`(flags: [String], truth: Bool) throws {
        #expect(try settings(flags).boolean("check") == truth)
    }

    @Test(arguments: [
        ("512", 512), ("1B", 1), ("64KiB", 65_536), ("64MiB", 67_108_864), ("1GiB", 1 << 30), ("5kB", 5000),
        ("2MB", 2_000_000),
    ])
    func `sizes have units`(text: String, bytes: Int) throws {
        #expect(try settings(["--upload-bytes-max", text]).integer("upload-bytes-max") == bytes)
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("5s", .seconds(5)), ("10m", .seconds(600)), ("1h", .seconds(3600)),
    ])
    func `times have units`(text: String, time: Duration) throws {
        #expect(try settings(["--feed-silence-max", text]).duration("feed-silence-max") == time)
    }

    @Test(arguments: [
        ("--threads", "0"), ("--threads", "65"), ("--threads", "four"), ("--threads", ""),
        ("--upload-bytes-max", "64 MiB"),
        ("--upload-bytes-max", "0"), ("--upload-bytes-max", "-1"), ("--upload-bytes-max", "9999999999GiB"),
        ("--upload-bytes-max", "64mib"), ("--feed-silence-max", "5"), ("--feed-silence-max", "1ms"),
        ("--feed-silence-max", "٥s"), ("--public-url", "example.org"), ("--public-url", "ftp://example.org"),
        ("--public-url", "https://u:p@example.org"), ("--address", "8080"), ("--address", "127.0.0.1:99999"),
        ("--address", "::1:80"), ("--offline", "maybe"), ("--check=yes", ""), ("--database-url", ""),
    ])
    func `a value that its row does not accept is refused in one sentence`(flag: String, value: String) {
        let given = flag.contains("=") ? [flag] : [flag, value]
        let text = problem(given)
        let name = flag.dropFirst(2).prefix { $0 != "=" }
        #expect(text.hasPrefix("`\(name)` (flag) cannot be "), "\(text)")
        #expect(text.contains("it takes "))
    }

    @Test func `the refusal names where the value came from`() {
        let text = problem(environment: ["LONGSHORE_UPLOAD_BYTES_MAX": "lots"])
        #expect(
            text == """
                `upload-bytes-max` (environment variable LONGSHORE_UPLOAD_BYTES_MAX) cannot be `lots`: \
                it takes a size such as 512KiB, 64MiB or 2GiB, from 1 to 1GiB
                """)
    }

    @Test(arguments: [
        (
            ["--uplod-bytes-max", "5"],
            "there is no setting --uplod-bytes-max (did you mean `upload-bytes-max`?); --help lists them all"
        ),
        (["--frobnicate"], "there is no setting --frobnicate; --help lists them all"),
        (["--threads"], "--threads needs a value"),
        (["--threads", "1", "--threads=2"], "--threads is given twice"),
        (["stray"], "`stray` is not understood: settings are given as --name value"),
        (
            ["--threads-file", "x"],
            "there is no setting --threads-file (did you mean `threads`?); --help lists them all"
        ),
    ])
    func `flags that mean nothing are refused`(flags: [String], sentence: String) {
        let text = problem(flags)
        if flags == ["--threads-file", "x"] {
            #expect(text.hasPrefix("there is no setting --threads-file"))
        } else {
            #expect(text == sentence)
        }
    }

    @Test(arguments: [
        (#"{"thread": 1}"#, "has a key `thread` that is no setting (did you mean `threads`?)"),
        (#"{"threads": [1]}"#, "`threads`"), ("nonsense", "one JSON object"), (#"[]"#, "one JSON object"),
        (#"{"threads": null}"#, "`threads`"), (#"{"threads": 1.5}"#, "`threads`"),
    ])
    func `a file that cannot be understood is refused`(json: String, part: String) {
        let text = problem(["--config", "/s.json"], files: ["/s.json": json])
        #expect(text.contains("/s.json") && text.contains(part), "\(text)")
    }

    @Test func `a file that is not there is named`() {
        #expect(problem(["--config", "/none.json"]).hasPrefix("the settings file /none.json cannot be opened"))
    }

    @Test func `a secret may stand in a file of its own`() throws {
        let files = ["/run/secrets/db": "postgres://u:p@h/d\n"]
        for given in [
            try settings(["--database-url-file", "/run/secrets/db"], files: files),
            try settings(environment: ["LONGSHORE_DATABASE_URL_FILE": "/run/secrets/db"], files: files),
        ] {
            #expect(given.text("database-url") == "postgres://u:p@h/d")
        }
        #expect(
            problem(["--database-url-file", "/run/secrets/db", "--database-url", "x"], files: files)
                .contains("give one of them"))
    }

    @Test func `another program's variable is read after our own`() throws {
        let alias = ["DATABASE_URL": "a"]
        #expect(try settings(environment: alias).text("database-url") == "a")
        #expect(
            try settings(environment: alias.merging(["LONGSHORE_DATABASE_URL": "b"]) { $1 }).text("database-url") == "b"
        )
    }

    @Test func `an empty variable is as good as none`() throws {
        let settings = try settings(environment: ["LONGSHORE_THREADS": "", "LONGSHORE_DATABASE_URL": ""])
        #expect(settings.integer("threads") == 4)
        #expect(settings.optionalText("database-url") == nil)
    }

    @Test func `what is in force can be printed without secrets`() throws {
        let text = try settings(["--database-url", "postgres://u:hunter2@h/d"]).describe()
        #expect(!text.contains("hunter2"))
        let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(lines.count == Self.table.count)
        #expect(lines.contains(["database-url", "(hidden)", "(flag)"]))
        #expect(lines.contains(["upload-bytes-max", "64MiB", "(default)"]))
        #expect(lines.contains(["public-url", "unset", "(default)"]))
    }

    @Test func `a refused secret is not repeated`() {
        let table = [Setting("key", .secret, "x"), Setting("keys", .secret, "x")]
        #expect(throws: SettingsProblem.self) {
            try Settings(table, flags: ["--key", ""], environment: [:]) { _ in "" }
        }
    }

    @Test func `unknown variables with our prefix are listed, not refused`() throws {
        let settings = try settings(environment: ["LONGSHORE_TREADS": "3", "LONGSHORE_THREADS": "3", "HOME": "/"])
        #expect(settings.unknownVariables == ["LONGSHORE_TREADS"])
    }

    @Test func `a final slash of an address is dropped`() throws {
        #expect(
            try settings(["--public-url", "https://crates.example.org/sub/"]).text("public-url")
                == "https://crates.example.org/sub")
    }

    @Test func `help and the table of the manual have a row for each setting`() {
        let (help, table) = (Settings.help(Self.table), Settings.markdownTable(Self.table))
        for setting in Self.table {
            #expect(help.contains("--\(setting.name) "))
            #expect(table.contains("| `--\(setting.name)` | `\(setting.environmentName)`"))
        }
        #expect(table.contains("serve-stale\\|refuse"))
        #expect(table.split(separator: "\n").count == Self.table.count + 2)
    }

    @Test(arguments: [("[::1]:80", "::1", 80), ("localhost:0", "localhost", 0), ("0.0.0.0:8080", "0.0.0.0", 8080)])
    func `addresses are read and written alike`(text: String, host: String, port: Int) throws {
        let address = try #require(SocketAddressText(parsing: text))
        #expect(address == SocketAddressText(host: host, port: port))
        #expect(address.description == text)
    }
}
