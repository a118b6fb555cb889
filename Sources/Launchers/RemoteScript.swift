// What is run on a host, as scripts for any POSIX shell. They keep all that a cluster has there in one folder, know its
// processes by that folder's name and by the start of the first of them, and remove no file but those they made.
//
//   FOLDER/groksweep-SHA256       copies of the program, for every cluster
//   FOLDER/ID-NAME/copies         those that this one wanted there
//   FOLDER/ID-NAME/pid            the workers' first process, and when it started
//   FOLDER/ID-NAME/starting       locked while somebody starts it
//   FOLDER/ID-NAME/log  join  c   what the workers say; their key, 0600; the near end of the tunnel

import Sweeps

package struct RemoteScript: Sendable {
  /// Of the cluster.
  package let id: String
  package let host: ClusterHost

  package init(id: String, host: ClusterHost) {
    self.id = id
    self.host = host
  }

  /// Less room than this is none: a point of the paper's size takes up to 400 MB.
  package static let leastFreeKiB = 64 << 10
  /// Workers that leave write a checkpoint, wait for it to be taken over, and for their receipts (75 s), and are then
  /// killed.
  package static let leaveSeconds = 90
  /// Until the workers have said hello.
  package static let startSeconds = 20
  /// For another start, of an `up` that was killed, to come to its end.
  package static let lockSeconds = 30
  /// Of the log, at once.
  private static let mostOfLog = 1 << 20

  /// `~/x` is of the home there; anything else is exactly what it is.
  package static func word(_ path: String) -> String {
    path.hasPrefix("~/") ? "\"$HOME\"/" + ShellWords.quoted(String(path.dropFirst(2))) : ShellWords.quoted(path)
  }

  private var opening: String {
    """
    umask 077
    base=\(Self.word(host.folder))
    folder=$base/\(id)-\(host.name)
    say() { printf '@groksweep %s %s\\n' "$1" "$2"; }
    finish() { printf '\\n@groksweep end\\n'; exit 0; }
    # Process $1 as /proc has it now: since, session. A zombie is none.
    look_at() {
      line=
      { read -r line <"/proc/$1/stat"; } 2>/dev/null
      set -- ${line##*') '}
      [ $# -ge 20 ] && [ "$1" != Z ] && session=$4 && since=${20}
    }
    pid= began= since= session=
    [ -r "$folder/pid" ] && read -r pid began <"$folder/pid"
    alive() { [ -n "$pid" ] && look_at "$pid" && [ "$since" = "$began" ]; }
    # All processes of the workers: of that session, and with the folder among their words.
    members() {
      [ -n "$pid" ] || return 0
      for file in $(grep -lsF -- "$folder/" /proc/[0-9]*/cmdline); do
        one=${file#/proc/} one=${one%/cmdline}
        look_at "$one" && [ "$session" = "$pid" ] && echo "$one"
      done
      return 0
    }
    workers() { for one in $(members); do [ "$one" = "$pid" ] || say worker "$one"; done; }
    last_words() { # since byte $1
      [ -r "$folder/log" ] || return 0
      tail -c "+$(($1 + 1))" "$folder/log" | tail -n 3 | while read -r line; do say last "$line"; done
    }
    show_log() { # from byte $1 on
      say log
      [ ! -r "$folder/log" ] || tail -c "+$(($1 + 1))" "$folder/log" | head -c \(Self.mostOfLog)
      finish
    }

    """
  }

  /// `host`, `machine`, `folder`, `free` (KiB) or `no_disk`, `alive`, `stale_socket`.
  package var look: String {
    opening + """
      say host "$(uname -n)"
      say machine "$(uname -m)"
      if ! words=$(mkdir -p "$folder" 2>&1); then say no_disk "$words"; finish; fi
      folder=$(cd "$folder" && pwd)
      say folder "$folder"
      if ! words=$( { echo groksweep >"$folder/room"; } 2>&1); then say no_disk "$words"; finish; fi
      rm -f "$folder/room" "$folder/closing"
      free() { set -- $(df -Pk "$1" 2>/dev/null | tail -n 1); [ $# -ge 4 ] && say free "$4"; }
      free "$folder"
      \(host.settings.scratch.map { "mkdir -p \(Self.word($0)) 2>/dev/null && free \(Self.word($0))" } ?? ":")
      alive && say alive "$pid"
      workers
      finish

      """
  }

  /// `program`, and `version` (JSON) or `broken`; nothing for a program that is not there.
  ///
  /// - Parameter copy: the checksum of the program that is to be there as a copy; nil: the one that the host has.
  package func program(copy: String?) -> String {
    let candidates =
      copy.map { [copyWord(of: $0)] } ?? host.settings.binary.map { [Self.word($0)] }
      ?? ["groksweep", "\"$HOME\"/.local/bin/groksweep", "/usr/local/bin/groksweep"]
    // Noted before anything is copied: this process may be killed at any moment.
    let check = copy.map { checksum in
      """
      echo \(Self.copyName(checksum)) >>"$folder/copies"
      [ "$(sha256sum <\(copyWord(of: checksum)) 2>/dev/null | cut -d' ' -f1)" = \(checksum) ] || finish
      """
    }
    return opening + """
      \(check ?? ":")
      for program in \(candidates.joined(separator: " ")); do
        path=$(command -v "$program") || continue
        say program "$path"
        if words=$("$path" version --json 2>"$folder/words"); then
          say version "$words"
        else
          say broken "$(tail -n 1 "$folder/words")"
        fi
        rm -f "$folder/words"
        finish
      done
      finish

      """
  }

  private static func copyName(_ checksum: String) -> String { "groksweep-\(checksum.prefix(16))" }

  private func copyWord(of checksum: String) -> String { "\"$base\"/\(Self.copyName(checksum))" }

  /// In one line, since stdin is the file: takes the program. `sha256` of what arrived; only the right one gets its name.
  package func takeProgram(checksum: String) -> String {
    take(Self.word(host.folder), Self.copyName(checksum), mode: 700, checksum)
  }

  /// The same for the join file.
  package func takeJoin(checksum: String) -> String {
    take(Self.word(host.folder) + "/\(id)-\(host.name)", "join", mode: 600, checksum)
  }

  private func take(_ folder: String, _ name: String, mode: Int, _ checksum: String) -> String {
    [
      "umask 077", "cd \(folder) || exit 1", "new=\(name).\(id)-\(host.name).$$.new", "cat >\"$new\"",
      "sum=$(sha256sum <\"$new\" | cut -d' ' -f1)", "printf '@groksweep sha256 %s\\n' \"$sum\"",
      "if [ \"$sum\" = \(checksum) ] && chmod \(mode) \"$new\"; then mv -f \"$new\" \(name); else rm -f \"$new\"; fi",
      "printf '\\n@groksweep end\\n'",
    ].joined(separator: "; ")
  }

  /// `sha256` of the join file that is there.
  package var joinChecksum: String {
    opening + """
      [ -r "$folder/join" ] && say sha256 "$(sha256sum <"$folder/join" | cut -d' ' -f1)"
      finish

      """
  }

  /// Makes room for a tunnel's near end: whoever made the one that is there is gone.
  package var removeSocket: String { opening + "rm -f \"$folder/c\"\nfinish\n" }

  /// Starts the workers, unless they run. `running`, `started` or `waiting` with the process, or `ended`; the `last` lines
  /// that they said, and the log from byte `offset` on. `busy` when another start does not come to its end.
  ///
  /// - Parameters:
  ///   - program: as `program` found it.
  ///   - address: what workers connect to; nil: the near end of the tunnel.
  package func start(program: String, address: String?, hasKeys: Bool, logFrom offset: Int) -> String {
    var words = [ShellWords.quoted(program), "worker", "--connect"]
    words.append(address.map(ShellWords.quoted) ?? "\"ipc://$folder/c\"")
    if hasKeys { words += ["--join", "\"$folder/join\""] }
    if let slots = host.settings.slots { words += ["--slots", "\(slots)"] }
    if let scratch = host.settings.scratch { words += ["--scratch", Self.word(scratch)] }
    if let deadline = host.settings.deadline { words += ["--deadline", deadline] }
    return opening + """
      folder=$(cd "$folder" && pwd) || finish
      # Of an `up` that was killed, this script may still run. Without flock there it is not waited for.
      exec 9>"$folder/starting"
      tries=0
      while flock -n 9 2>/dev/null; [ $? -eq 1 ]; do
        [ $tries -lt \(Self.lockSeconds * 10) ] || { say busy; finish; }
        sleep 0.1
        tries=$((tries + 1))
      done
      [ -r "$folder/pid" ] && read -r pid began <"$folder/pid"
      if alive; then say running "$pid"; finish; fi
      pid=
      before=0
      [ -r "$folder/log" ] && before=$(wc -c <"$folder/log")
      rm -f "$folder/pid"
      setsid sh -c '
        read -r line <"/proc/$$/stat"
        since=$(set -- ${line##*") "}; echo "${20}")
        echo "$$ $since" >"$0/pid.new" && mv "$0/pid.new" "$0/pid" || exit 1
        # Whoever ends them has closed the folder and read the pid afterwards, or finds this one.
        [ ! -e "$0/closing" ] && [ -e "$0/pid" ] || exit 1
        exec "$@" 9>&-' "$folder" \(words.joined(separator: " ")) >>"$folder/log" 2>&1 </dev/null &
      tries=0
      while [ $tries -lt \(Self.startSeconds * 10) ]; do
        if [ -z "$pid" ] && [ -r "$folder/pid" ]; then read -r pid began <"$folder/pid"; fi
        if [ -n "$pid" ]; then
          alive || break
          tail -c "+$((before + 1))" "$folder/log" | grep -q 'welcome as worker' && break
        fi
        sleep 0.1
        tries=$((tries + 1))
      done
      if ! alive; then say ended "$pid"
      elif [ $tries -ge \(Self.startSeconds * 10) ]; then say waiting "$pid"
      else say started "$pid"; fi
      last_words $((before))
      show_log \(offset)

      """
  }

  /// `host`, `alive`, a `worker` for each of its processes, the `last` lines and the log from byte `offset` on.
  package func status(logFrom offset: Int) -> String {
    opening + """
      say host "$(uname -n)"
      [ -d "$folder" ] || finish
      folder=$(cd "$folder" && pwd)
      alive && say alive "$pid"
      workers
      last_words 0
      show_log \(offset)

      """
  }

  /// Has the workers hand everything over and leave, kills those that do not, and removes what was made there. `left`,
  /// `killed` or `none`; `remains` for processes that nothing ends; `removed` for each copy; and the rest of the log.
  ///
  /// - Parameter keepsCopies: whether copies of the program stay; those that other clusters' workers run always do.
  package func stop(logFrom offset: Int, keepsCopies: Bool = false) -> String {
    let removal = """
      for name in $(sort -u "$folder/copies" 2>/dev/null); do
        rm -f "$base/$name.\(id)-\(host.name)".*.new
        used=
        for program in /proc/[0-9]*/exe; do [ "$program" -ef "$base/$name" ] && used=yes; done
        [ -n "$used" ] || [ ! -e "$base/$name" ] || { rm -f "$base/$name" && say removed "$name"; }
      done
      """
    return opening + """
      [ -d "$folder" ] || { say none; finish; }
      folder=$(cd "$folder" && pwd)
      # A start that is still under way, of an `up` that was killed, looks for this.
      : >"$folder/closing"
      [ -r "$folder/pid" ] && read -r pid began <"$folder/pid"
      end=left
      if alive; then kill -TERM "$pid"; else end=none; fi
      tries=0
      while [ $tries -lt \(Self.leaveSeconds * 5) ] && [ -n "$(members)" ]; do
        sleep 0.2
        tries=$((tries + 1))
      done
      rest=$(members)
      if [ -n "$rest" ]; then
        end=killed
        kill -KILL $rest
        tries=0
        while [ $tries -lt 50 ] && [ -n "$(members)" ]; do sleep 0.1; tries=$((tries + 1)); done
      fi
      rest=$(members)
      say "$end"
      [ -z "$rest" ] || { say remains "$(echo $rest)"; finish; }
      \(keepsCopies ? ":" : removal)
      say log
      [ ! -r "$folder/log" ] || tail -c "+\(offset + 1)" "$folder/log" | head -c \(Self.mostOfLog)
      printf '\\n@groksweep end\\n'
      mv "$folder" "$folder.gone" && cd "$folder.gone" || exit 0
      rm -f pid pid.new join join.*.new log c room words closing starting copies
      cd / && rmdir "$folder.gone"
      \(host.folder == ClusterHost.defaultFolder ? "rmdir \"$base\" 2>/dev/null" : ":")

      """
  }
}
